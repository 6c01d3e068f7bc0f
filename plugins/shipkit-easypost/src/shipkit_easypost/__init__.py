"""EasyPost for shipkit."""
