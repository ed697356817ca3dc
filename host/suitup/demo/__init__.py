"""Shows that anybody can run without hardware."""
