"""Transports that carry `protocol/` events. Today: a websocket client."""
