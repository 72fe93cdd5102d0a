// The interactive description of the API at /docs, by Swagger UI from this host.

window.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger",
  deepLinking: true,
  validatorUrl: null, // it would send the description to another host
});
