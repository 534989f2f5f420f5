"""The ways to reach people beside the page, one module each; what another room adds registers the same way."""
