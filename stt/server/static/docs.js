// The interactive API description at /docs: Swagger UI, served from this host.

window.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger",
  deepLinking: true,
  validatorUrl: null, // would send the description to another host
});
