"""Settings that all tests share."""

from hypothesis import HealthCheck, settings

# Derandomised: a test gives the same verdict on every machine. No deadline: the first example of a test may compile.
settings.register_profile(
    "project",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("project")
