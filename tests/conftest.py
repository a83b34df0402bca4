"""What holds for every test: how hypothesis looks for inputs."""

from hypothesis import HealthCheck, settings

# A slow machine is no finding: how long an input takes says nothing of the code, and no test here asserts a time.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
