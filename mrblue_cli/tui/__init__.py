"""The Textual app: screens, widgets, messages. View state only; the conversation lives in `voice/`."""
