"""The doors of attachments: uploads for programs, downloads and one's own drafts for people."""
