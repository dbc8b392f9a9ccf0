"""The tests: one folder an app, journeys in a real browser, conformance, and the fakes they talk to."""
