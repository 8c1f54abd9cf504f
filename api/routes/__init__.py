"""The routes: parse, one call, answer. A rule stands in the domain, a query in a `.sql` file, a sequence in a flow."""
