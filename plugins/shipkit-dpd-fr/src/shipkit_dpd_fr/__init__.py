"""DPD France for shipkit."""
