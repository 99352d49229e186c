from hypothesis import settings

# A deadline for an example says more about what else the machine does than about the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
