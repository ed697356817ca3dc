"""One release folder, served over HTTP and CoAP: `store` (what may be read), `http`, `coap`,
`server` (both)."""
