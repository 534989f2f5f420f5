"""What an attachment may be called and what it may hold; nothing here knows rows or files."""
