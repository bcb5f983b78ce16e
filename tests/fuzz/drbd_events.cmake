og_fuzz(drbd_events SOURCES drbd_events.c LINK og_drbd)
