"""The HTTP service.

`app` builds it, `state` holds its parts, `runtime` runs the models. `admission`, `auth` and
`middleware` run before the `routes`. `problems` renders errors, `sse` streams events, `openapi`
adds examples to the API description, and `static` is the web page.
"""
