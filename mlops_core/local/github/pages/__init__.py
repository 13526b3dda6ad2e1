"""What people see: plain, server-rendered pages."""
