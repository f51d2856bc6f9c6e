// The reference of the API: what openapi.json says, with a form to try each operation.
// Whatever is shown became a text node, never markup.

const by = (id) => document.getElementById(id);

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Text in which `this` is code.
function prose(text) {
  const parts = text.split("`").map((part, i) => i % 2 === 1 ? make("code", { textContent: part }) : part);
  return make("p", {}, ...parts);
}

let api; // openapi.json

function resolve(node) {
  while (node?.$ref) {
    node = node.$ref.split("/").slice(1).reduce((at, name) => at[name.replace(/~1/g, "/").replace(/~0/g, "~")], api);
  }
  return node;
}

// ---- Schemas

// "integer 1 to 1000", "array of Text", "Answer or array of Answer"
function typeOf(schema) {
  if (schema.$ref) {
    const target = resolve(schema);
    return target.type && !target.properties ? typeOf(target) : schema.$ref.split("/").pop();
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.filter((value) => value !== null).map((value) => JSON.stringify(value)).join(", ");
  const choices = (schema.anyOf ?? schema.oneOf)?.filter((choice) => choice.type !== "null");
  if (choices) return [...new Set(choices.map(typeOf))].join(" or ");
  const types = [schema.type ?? "any"].flat().filter((type) => type !== "null");
  return types.map((type) => type === "array" && schema.items ? `array of ${typeOf(schema.items)}` : type)
    .join(" or ") + rangeOf(schema);
}

function rangeOf({ minimum, maximum, minLength, default: preset }) {
  let range = minimum !== undefined && maximum !== undefined ? ` ${minimum} to ${maximum}`
    : minimum !== undefined ? ` from ${minimum}` : "";
  if (minLength > 0) range += ", not empty";
  return preset === undefined ? range : `${range}, default ${preset}`;
}

// The properties of an object, of its allOf too: [[name, schema, required], ...]
function fieldsOf(schema) {
  const target = resolve(schema);
  const own = Object.entries(target.properties ?? {}).filter(([, field]) => field.type !== "null")
    .map(([name, field]) => [name, field, (target.required ?? []).includes(name)]);
  return own.concat(...(target.allOf ?? []).filter((part) => part.$ref).map(fieldsOf));
}

// The tables of a schema and of those that it consists of. `outer`: whose part it is.
function tablesOf(schema, seen = new Set(), outer = "") {
  const name = schema.$ref?.split("/").pop();
  if (seen.has(name)) return [];
  if (name) seen.add(name);
  const target = resolve(schema);
  const fields = fieldsOf(schema);
  const tables = [];
  if (fields.length > 0) tables.push(tableOf(name ?? outer, fields));
  const parts = [target.items, ...(target.anyOf ?? []), ...(target.oneOf ?? []), ...fields.map(([, field]) => field)];
  return tables.concat(...parts.filter(Boolean).map((part) => tablesOf(part, seen, name ?? outer)));
}

function tableOf(name, fields) {
  const rows = fields.map(([field, type, required]) => make("tr", {},
    make("th", { scope: "row" }, make("code", { textContent: field }), required ? " *" : ""),
    make("td", { textContent: typeOf(type) }),
    make("td", {}, prose(resolve(type).description ?? ""))));
  return make("div", { className: "scroll", tabIndex: 0, role: "group", ariaLabel: `Fields of ${name}` },
    make("table", {}, make("caption", { textContent: `${name} (* required)` }), make("tbody", {}, ...rows)));
}

// ---- Operations

function showOperations() {
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })));
  for (const { name, description } of api.tags) {
    const title = make("h2", { id: `tag-${name}`, textContent: name[0].toUpperCase() + name.slice(1) });
    const section = make("section", {}, title, make("p", { className: "hint", textContent: description }),
      ...operations.filter(({ operation }) => operation.tags[0] === name).map(entryOf));
    section.setAttribute("aria-labelledby", title.id);
    by("operations").append(section);
  }
  openFragment();
}

function entryOf({ path, method, operation }) {
  const details = make("details", { id: operation.operationId, className: "panel operation" },
    make("summary", {}, make("span", { className: `method ${method.toLowerCase()}`, textContent: method }),
      make("code", { textContent: path }), make("span", { className: "hint", textContent: operation.summary })));
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) fill(details, path, method, operation);
  });
  return details;
}

function openFragment() {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.tagName !== "DETAILS") return;
  target.open = true;
  target.scrollIntoView();
}

function fill(details, path, method, operation) {
  const id = operation.operationId;
  details.append(prose(operation.description), formOf(id, path, method, operation));
  const json = resolve(operation.requestBody)?.content["application/json"];
  const fields = (operation.parameters ?? []).map(resolve)
    .map(({ name, description, required, schema }) => [name, { ...schema, description }, required]);
  const tables = [...(fields.length > 0 ? [tableOf("Fields", fields)] : []), ...(json ? tablesOf(json.schema) : [])];
  if (tables.length > 0) details.append(make("h3", { textContent: "Request" }), ...tables);
  const rows = Object.entries(operation.responses).map(([status, response]) => make("tr", {},
    make("th", { scope: "row", textContent: status }), make("td", {}, prose(resolve(response).description))));
  const reply = resolve(operation.responses["200"]).content?.["application/json"];
  details.append(make("h3", { textContent: "Replies" }), make("table", {}, make("tbody", {}, ...rows)),
    ...(reply ? tablesOf(reply.schema) : []));
}

// ---- Trying

function formOf(id, path, method, operation) {
  const fields = (operation.parameters ?? []).map(resolve).map((parameter) => ({ parameter, input: inputOf(id, parameter) }));
  const media = resolve(operation.requestBody)?.content["application/json"];
  const body = media && bodyOf(id, media.examples);
  const curl = make("pre", { className: "curl", tabIndex: 0, role: "group", ariaLabel: "As a command" });
  const reply = { status: make("p", { role: "status" }), parts: make("div", {}) };
  const send = make("button", { type: "submit", className: "main", textContent: "Send" });
  const copy = make("button", { type: "button", textContent: "Copy curl" });
  const form = make("form", { className: "try", autocomplete: "off" },
    ...fields.map(({ parameter, input }) => make("p", { className: "field" },
      make("label", { htmlFor: input.id, textContent: parameter.name }), input)),
    ...(body ? body.parts : []), make("div", { className: "bar" }, send, copy), curl);
  const current = () => requestOf(path, method, fields, body?.area.value);
  const update = () => { curl.textContent = curlOf(current()); };
  form.addEventListener("input", update);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    update();
    tryOut(current(), reply);
  });
  copy.addEventListener("click", () => copyText(curl, copy));
  update();
  return make("div", {}, form, make("div", { className: "reply" }, reply.status, reply.parts));
}

function inputOf(id, { name, required, example, schema }) {
  const choices = schema.enum ?? (schema.type === "boolean" ? [true, false] : null);
  const properties = { id: `${id}-${name}`, required: required === true };
  if (!choices) return make("input", { ...properties, type: "text", value: example ?? "", placeholder: schema.default ?? "" });
  return make("select", properties, make("option", { value: "", textContent: "default" }),
    ...choices.map((choice) => make("option", { textContent: choice })));
}

function bodyOf(id, examples) {
  const area = make("textarea", { id: `${id}-body`, className: "code", spellcheck: false });
  const choice = make("select", { id: `${id}-example` },
    ...Object.entries(examples).map(([key, example]) => make("option", { value: key, textContent: example.summary })));
  const take = () => {
    area.value = JSON.stringify(examples[choice.value].value, null, 2);
    area.rows = area.value.split("\n").length + 1;
  };
  choice.addEventListener("input", take); // then the form's listener makes the command anew
  take();
  const parts = [make("label", { htmlFor: area.id, textContent: "Body" }), area];
  if (choice.options.length > 1) parts.unshift(make("p", { className: "field" }, make("label", { htmlFor: choice.id, textContent: "Example" }), choice));
  return { area, parts };
}

function requestOf(path, method, fields, body) {
  const query = new URLSearchParams();
  for (const { parameter, input } of fields) {
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value !== "") query.append(parameter.name, input.value);
  }
  const search = query.size > 0 ? `?${query}` : "";
  return { method, url: new URL(`.${path}${search}`, document.baseURI).href, body };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curlOf({ method, url, body }) {
  const parts = [`curl -i ${quoted(url)}`];
  if (by("key").value) parts.push('-H "Authorization: Bearer $LAMBERT_API_KEY"');
  if (body !== undefined) parts.push("-H 'Content-Type: application/json'", `-d ${quoted(body)}`);
  else if (method !== "GET") parts.push(`-X ${method}`);
  return parts.join(" \\\n  ");
}

async function tryOut({ method, url, body }, reply) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (by("key").value) headers.Authorization = `Bearer ${by("key").value}`;
  reply.status.textContent = "Sending…";
  reply.parts.replaceChildren();
  const begin = performance.now();
  try {
    const response = await fetch(url, { method, headers, body, cache: "no-store" });
    const text = await response.text();
    const ms = performance.now() - begin;
    if (response.status === 401) by("key-row").hidden = false;
    showReply(reply, response, text, ms);
  } catch (error) {
    reply.status.replaceChildren(make("strong", { className: "bad", textContent: "There was no reply" }), `: ${error.message}`);
  }
}

const MAX_SHOWN = 100000; // characters of a body

function showReply(reply, response, text, ms) {
  const status = `${response.status} ${response.statusText}`;
  reply.status.replaceChildren(make("strong", { className: response.ok ? "good" : "bad", textContent: status }),
    ` in ${ms.toFixed(0)} ms`);
  reply.parts.replaceChildren(
    make("pre", { className: "headers", tabIndex: 0, ariaLabel: "Headers of the reply", role: "group",
      textContent: [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n") }),
    make("pre", { className: "body", tabIndex: 0, ariaLabel: "Body of the reply", role: "group",
      textContent: indented(text).slice(0, MAX_SHOWN) }));
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function copyText(element, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(element.textContent);
    button.textContent = "Copied";
  } catch { // no clipboard without TLS: select it, so that a key copies it
    getSelection().selectAllChildren(element);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}

async function main() {
  try {
    const response = await fetch("openapi.json", { cache: "no-cache" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    api = await response.json();
  } catch (error) {
    by("problem").append(make("p", { className: "problem", textContent: `openapi.json cannot be read: ${error.message}` }));
    return;
  }
  by("version").textContent = `${api.info.version}, ${api.info.license.identifier}`;
  by("about").replaceWith(prose(api.info.description));
  showOperations();
}

window.addEventListener("hashchange", openFragment);
main();
