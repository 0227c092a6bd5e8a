"""Capture, playback, devices and the talk session: a conversation with a Realtime server.

May import `realtime`, `assistant` and what lies below them; never `engine`. Prints nothing and draws nothing:
everything leaves as the events of `voice/events.py`.
"""
