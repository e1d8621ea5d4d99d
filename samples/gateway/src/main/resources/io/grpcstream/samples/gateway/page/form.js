// Forms for messages, made of what the peer tells of their types. Each control has an element, read()
// for its value as JSON (undefined for none) and write(value), as protobuf's JSON mapping has it.
import { h, newId } from './dom.js';

const NUMBERS = new Set(['int32', 'sint32', 'sfixed32', 'uint32', 'fixed32', 'int64', 'sint64', 'sfixed64', 'uint64', 'fixed64', 'float', 'double']);
const WRAPPERS = {
  'google.protobuf.DoubleValue': 'double', 'google.protobuf.FloatValue': 'float',
  'google.protobuf.Int64Value': 'int64', 'google.protobuf.UInt64Value': 'uint64',
  'google.protobuf.Int32Value': 'int32', 'google.protobuf.UInt32Value': 'uint32',
  'google.protobuf.BoolValue': 'bool', 'google.protobuf.StringValue': 'string', 'google.protobuf.BytesValue': 'bytes',
};
const TEXTS = {
  'google.protobuf.Timestamp': '2026-01-31T12:00:00Z',
  'google.protobuf.Duration': '1.5s',
  'google.protobuf.FieldMask': 'name,address.city',
};
const ANY_JSON = new Set(['google.protobuf.Any', 'google.protobuf.Struct', 'google.protobuf.Value', 'google.protobuf.ListValue']);

const short = (type) => type.slice(type.lastIndexOf('.') + 1);
const typeName = (field) => (field.type ? short(field.type) : field.kind);

// The control for all requests of a method: one message, or a list where the client streams.
export function requestControl(schema, method) {
  const field = { name: 'message', label: 'message', kind: 'message', type: method.input };
  return method.clientStreaming ? list(schema, { ...field, repeated: 'list' }, true) : message(schema, method.input);
}

function message(schema, type) {
  const fields = schema.types[type].fields;
  const controls = new Map();
  const element = h('div');
  const oneofs = new Map();
  for (const field of fields) {
    if (field.oneof) {
      if (!oneofs.has(field.oneof)) {
        const control = oneof(schema, field.oneof, fields.filter((f) => f.oneof === field.oneof));
        oneofs.set(field.oneof, control);
        element.append(control.element);
      }
    } else {
      const control = labelled(schema, field);
      controls.set(field, control);
      element.append(control.element);
    }
  }
  if (fields.length === 0) element.append(h('p', { class: 'quiet small' }, 'This message has no fields.'));
  return {
    element,
    read() {
      const value = {};
      for (const [field, control] of controls) {
        const part = control.read();
        if (part !== undefined) value[field.name] = part;
      }
      for (const control of oneofs.values()) Object.assign(value, control.read());
      return value;
    },
    write(value) {
      const known = value && typeof value === 'object' ? value : {};
      for (const [field, control] of controls) control.write(known[field.name] ?? known[field.label]);
      for (const control of oneofs.values()) control.write(known);
    },
  };
}

// One of several fields, or none.
function oneof(schema, name, fields) {
  const group = newId();
  const box = h('div', { class: 'box' });
  let chosen = null;
  let control = null;
  const radios = [];
  function choose(field) {
    chosen = field;
    control = field ? single(schema, { ...field, presence: false, required: true }) : null;
    box.replaceChildren(...(control ? [control.element] : []));
    box.hidden = !control;
    if (control) {
      const inner = control.input ?? control.element;
      inner.setAttribute('aria-label', field.label);
    }
  }
  const choices = h('div', { class: 'choices' }, ...[null, ...fields].map((field) => {
    const radio = h('input', { type: 'radio', name: group, checked: field === null, onchange: () => choose(field) });
    radios.push({ field, radio });
    return h('label', {}, radio, field ? field.label : 'none');
  }));
  choose(null);
  return {
    element: h('fieldset', { class: 'field' }, h('legend', { class: 'label' }, name, h('span', { class: 'type' }, 'one of')), choices, box),
    read: () => (chosen ? { [chosen.name]: control.read() ?? empty(chosen) } : {}),
    write(value) {
      const field = fields.find((f) => value[f.name] !== undefined || value[f.label] !== undefined) ?? null;
      radios.forEach((r) => { r.radio.checked = r.field === field; });
      choose(field);
      control?.write(value[field.name] ?? value[field.label]);
    },
  };
}

function empty(field) {
  if (field.kind === 'message') return TEXTS[field.type] ? undefined : {};
  if (field.kind === 'bool') return false;
  return NUMBERS.has(field.kind) || field.kind === 'enum' ? 0 : '';
}

// A control with its name.
function labelled(schema, field) {
  if (field.repeated === 'list') return list(schema, field);
  if (field.repeated === 'map') return map(schema, field);
  const control = single(schema, field);
  const type = h('span', { class: 'type' }, typeName(field));
  if (!control.input) {
    return { ...control, element: h('fieldset', { class: 'field' }, h('legend', { class: 'label' }, field.label, type), control.element) };
  }
  control.input.id = newId();
  const label = h('label', { for: control.input.id }, field.label, type);
  const isCheck = control.input.type === 'checkbox';
  const parts = isCheck ? [h('div', { class: 'check' }, control.element, label)] : [label, control.element];
  return { ...control, element: h('div', { class: 'field' }, ...parts) };
}

// A control for one value, without its name.
function single(schema, field) {
  if (field.kind !== 'message') return scalar(schema, field);
  if (WRAPPERS[field.type]) return scalar(schema, { ...field, kind: WRAPPERS[field.type], presence: true });
  if (field.type === 'google.protobuf.Timestamp') return timestamp();
  if (TEXTS[field.type]) return text({ placeholder: TEXTS[field.type] });
  if (ANY_JSON.has(field.type)) return jsonText();
  return field.required ? message(schema, field.type) : optional(schema, field);
}

function scalar(schema, field) {
  if (field.kind === 'bool') return field.presence ? choice(['true', 'false'], true, (v) => v === 'true', String) : checkbox();
  if (field.kind === 'enum') {
    const names = schema.enums[field.type];
    return choice(names, field.presence, (v) => v, String, names);
  }
  if (field.kind === 'bytes') return bytes();
  if (NUMBERS.has(field.kind)) {
    // As text: those of 64 bits have more digits than JavaScript's numbers.
    return text({ inputmode: field.kind === 'float' || field.kind === 'double' ? 'decimal' : 'numeric', placeholder: field.presence ? '' : '0' });
  }
  return text({}, field.presence);
}

function text(attributes, keepsEmpty = false) {
  const input = h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', ...attributes });
  let touched = false;
  input.addEventListener('input', () => { touched = true; });
  return {
    element: input,
    input,
    read: () => (input.value === '' && !(keepsEmpty && touched) ? undefined : input.value),
    write(value) { input.value = value ?? ''; touched = value !== undefined; },
  };
}

function checkbox() {
  const input = h('input', { type: 'checkbox' });
  return { element: input, input, read: () => input.checked || undefined, write(value) { input.checked = value === true; } };
}

function choice(names, hasNone, parse, show, numbered) {
  const select = h('select', {}, ...(hasNone ? [h('option', { value: '' }, '—')] : []), ...names.map((name) => h('option', { value: name }, name)));
  return {
    element: select,
    input: select,
    read: () => (select.value === '' || (!hasNone && select.selectedIndex === 0) ? undefined : parse(select.value)),
    write(value) {
      if (value === undefined) select.selectedIndex = 0;
      else select.value = typeof value === 'number' && numbered ? numbered[value] ?? '' : show(value);
    },
  };
}

function timestamp() {
  const control = text({ placeholder: TEXTS['google.protobuf.Timestamp'] });
  const now = h('button', { type: 'button', class: 'light', onclick: () => control.write(new Date().toISOString()) }, 'now');
  return { ...control, element: h('div', { class: 'row' }, control.input, now) };
}

function bytes() {
  const control = text({ placeholder: 'Base64' });
  const file = h('input', { type: 'file', hidden: true, tabindex: '-1', 'aria-hidden': 'true' });
  file.addEventListener('change', async () => {
    const data = new Uint8Array(await file.files[0].arrayBuffer());
    let binary = '';
    for (const byte of data) binary += String.fromCharCode(byte);
    control.write(btoa(binary));
  });
  const pick = h('button', { type: 'button', class: 'light', onclick: () => file.click() }, 'file…');
  return { ...control, element: h('div', { class: 'row' }, control.input, pick, file) };
}

function jsonText() {
  const area = h('textarea', { placeholder: '{ … } as JSON', spellcheck: 'false' });
  return {
    element: area,
    input: area,
    read: () => (area.value.trim() === '' ? undefined : JSON.parse(area.value)),
    write(value) { area.value = value === undefined ? '' : JSON.stringify(value, null, 2); },
  };
}

// A message within a message: made when it is wanted, as types may contain themselves.
function optional(schema, field) {
  const box = h('div', { class: 'box', hidden: true });
  const input = h('input', { type: 'checkbox', 'aria-label': `set ${field.label}` });
  let control = null;
  function set(isSet) {
    input.checked = isSet;
    if (isSet && !control) {
      control = message(schema, field.type);
      box.append(control.element);
    }
    box.hidden = !isSet;
  }
  input.addEventListener('change', () => set(input.checked));
  return {
    element: h('div', {}, h('label', { class: 'check quiet' }, input, 'set'), box),
    read: () => (input.checked ? control.read() : undefined),
    write(value) {
      set(value !== undefined);
      control?.write(value);
    },
  };
}

function rows(add, name) {
  const holder = h('div');
  const controls = [];
  function append() {
    const control = add(controls.length);
    const row = h('div', { class: 'row' }, h('div', { class: 'grow' }, control.element),
      h('button', { type: 'button', class: 'light', 'aria-label': `remove this ${name}`, onclick: () => {
        controls.splice(controls.indexOf(control), 1);
        row.remove();
        more.focus();
      } }, 'remove'));
    controls.push(control);
    holder.append(row);
    return control;
  }
  const more = h('button', { type: 'button', class: 'light', onclick: () => {
    const first = append().element;
    (first.matches('input, select, textarea') ? first : first.querySelector('input, select, textarea'))?.focus();
  } }, `add ${name}`);
  return { holder, more, controls, append, clear() { controls.length = 0; holder.replaceChildren(); } };
}

function list(schema, field, isRequest = false) {
  const lines = rows((i) => {
    const control = single(schema, { ...field, presence: false, required: true });
    (control.input ?? control.element).setAttribute('aria-label', `${field.label} ${i + 1}`);
    if (field.kind === 'message' && !control.input) control.element.classList.add('group');
    return control;
  }, isRequest ? 'message' : field.label);
  if (isRequest) lines.append();
  return {
    element: h('fieldset', { class: 'field' },
      h('legend', { class: 'label' }, isRequest ? 'messages, in this order' : field.label, h('span', { class: 'type' }, `list of ${typeName(field)}`)),
      lines.holder, lines.more),
    read() {
      if (lines.controls.length === 0) return isRequest ? [] : undefined;
      return lines.controls.map((control) => control.read() ?? empty(field));
    },
    write(value) {
      lines.clear();
      for (const part of Array.isArray(value) ? value : []) lines.append().write(part);
    },
  };
}

function map(schema, field) {
  const lines = rows(() => {
    const key = text({ placeholder: 'key', 'aria-label': `key of ${field.label}` });
    const value = single(schema, { ...field, repeated: undefined, presence: false, required: true });
    (value.input ?? value.element).setAttribute('aria-label', `value of ${field.label}`);
    return {
      element: h('div', { class: 'row' }, key.element, h('div', { class: 'grow' }, value.element)),
      read: () => [key.input.value, value.read() ?? empty(field)],
      write([k, v]) { key.write(k); value.write(v); },
    };
  }, 'entry');
  return {
    element: h('fieldset', { class: 'field' },
      h('legend', { class: 'label' }, field.label, h('span', { class: 'type' }, `${field.key} → ${typeName(field)}`)), lines.holder, lines.more),
    read: () => (lines.controls.length === 0 ? undefined : Object.fromEntries(lines.controls.map((control) => control.read()))),
    write(value) {
      lines.clear();
      for (const entry of Object.entries(value ?? {})) lines.append().write(entry);
    },
  };
}
