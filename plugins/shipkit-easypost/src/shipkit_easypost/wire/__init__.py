"""What EasyPost says and hears, a module per subject; each is imported by the operation that needs it."""
