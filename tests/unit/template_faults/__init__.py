"""Every rule of the template, beside a fault that breaks it and the test that must then fail."""
