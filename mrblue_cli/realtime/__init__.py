"""Transports that carry `protocol/` events. Today: a websocket client, and a scripted peer for tests."""
