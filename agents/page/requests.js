// Requests to the service; one that fails becomes an error in words for the reader.
const UNREACHABLE = "The assistant cannot be reached.";
const SIGNED_OUT = "Your session has ended. Reload the page to sign in again.";

// Its message may be shown, whoever wrote the response.
export class RequestFailed extends Error {}

// The response, whatever its status.
export async function reach(path, options) {
  // The load balancer sends a reader who is signed out to another site, where a script cannot follow.
  const response = await fetch(path, { ...options, redirect: "manual" }).catch((error) => {
    throw error instanceof TypeError ? new RequestFailed(UNREACHABLE) : error;
  });
  if (response.type === "opaqueredirect") throw new RequestFailed(SIGNED_OUT);
  return response;
}

// The response, when it is not a refusal.
export async function request(path, options) {
  const response = await reach(path, options);
  if (response.ok) return response;
  // Programs pass the load balancer to /v1 without a session: that one has ended it says of paths for people alone.
  if (response.status === 401) await reach("readyz");
  // A proxy in front of the service may have answered in its place, and not in JSON.
  const body = await response.json().catch(() => null);
  throw new RequestFailed(body?.error?.message ?? `the service answered with status ${response.status}`);
}

export function post(path, body, options) {
  return request(path, {
    method: "POST",
    ...options,
    headers: { "content-type": "application/json", ...options?.headers },
    body: JSON.stringify(body),
  });
}
