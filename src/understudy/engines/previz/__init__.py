"""previz: a CPU engine that renders a previsualisation computed from the request, never a generative model."""
