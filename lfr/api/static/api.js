// Calls to this system's own API. A session that has ended leads to the sign-in page.

export class Problem extends Error {
  constructor(body, status) {
    super(body.detail || body.title || "The request failed");
    this.hint = body.hint || "";
    this.type = body.type || "";
    this.status = status;
    this.missing = body.missing || [];
  }
}

export async function call(path, { method = "GET", body, headers = {}, signal } = {}) {
  const init = { method, headers: { accept: "application/json", ...headers }, cache: "no-store", signal };
  if (body instanceof FormData) init.body = body;
  else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers["content-type"] = "application/json";
  }
  const response = await fetch(`/api/v1${path}`, init);
  if (response.ok || response.status === 304) return response;
  const problem = new Problem(await response.json().catch(() => ({})), response.status);
  if (response.status === 401 && !document.body.classList.contains("door")) location.assign("/sign-in");
  throw problem;
}

export const json = async (path, options) => (await call(path, options)).json();
