"""Attempts against the product's own filters, all written for this bench. No secret is the key of anything."""
