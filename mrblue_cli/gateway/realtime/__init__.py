"""The realtime relay: one client's websocket to one provider's, both dialects, with accounting and failover."""
