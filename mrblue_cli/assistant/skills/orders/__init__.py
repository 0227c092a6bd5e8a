"""Spoken orders: a menu, what was said, the order it makes, and how it is read back. All pure but the menu's file."""
