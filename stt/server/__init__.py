"""The HTTP service.

`app` puts it together, `state` holds its parts, `runtime` is what computes for it. `admission`,
`auth` and `middleware` come before the `routes`; `problems` turns errors into answers, `schemas`
has their shapes, `sse` streams, `openapi` describes, `static` is the page for browsers.
"""
