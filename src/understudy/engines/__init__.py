"""The engines that make films. None imports another; each implements `core.ports.Engine`."""
