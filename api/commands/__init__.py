"""Commands of their own topic: what they print, and nothing that a page or REST would need too."""
