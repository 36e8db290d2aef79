"""Payment gateways: one adapter for each payment method, behind the interface in `interface.py`."""
