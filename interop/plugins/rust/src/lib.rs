// The plugins are the examples.
