// CloudFront's function before the pages: the object that holds what a reader asks for, as the one-machine server
// would find it. FILES, the endings that name a file, is put before this text when it is packaged.

const query = (asked) => {
  const told = [];
  for (const name in asked) {
    for (const one of asked[name].multiValue || [asked[name]]) {
      told.push(one.value ? name + "=" + one.value : name);
    }
  }
  return told.join("&");
};

function handler(event) {
  const request = event.request;
  const parts = request.uri.split("/").slice(1);
  const last = parts[parts.length - 1];
  // An empty part between two slashes names nothing either; a leading one would be taken for another site's name.
  const unknown = parts.some((part, at) =>
    part === "" ? at !== parts.length - 1 : part.startsWith(".") && !(at === 0 && part === ".well-known"),
  );
  if (unknown || request.uri.startsWith("/support/answers/")) {
    // Nothing is stored under that name, so the bucket answers with the page for what is missing.
    request.uri = "/nothing-here";
    return request;
  }
  if (last === "") {
    request.uri += "index.html";
    return request;
  }
  const ending = last.slice(last.lastIndexOf("."));
  if (last.includes(".") && FILES.includes(ending.toLowerCase())) return request;
  const asked = query(request.querystring);
  const location = request.uri + "/" + (asked ? "?" + asked : "");
  return {
    statusCode: 301,
    statusDescription: "Moved Permanently",
    headers: { location: { value: location }, "cache-control": { value: "no-cache" } },
  };
}
