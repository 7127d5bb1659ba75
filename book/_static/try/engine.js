/* Runs a small ONNX network in the browser: convolutions, means and one dense layer, nothing else.
 *
 * A general runtime (onnxruntime-web 1.30) brings 14 MB of WebAssembly, nearly four times the network, and a page that
 * is opened as a file may not load it. This one reads the same ONNX file, asks for nothing, and spends its time in one
 * product of matrices: in WebAssembly (matmul.wat) where the browser has vector instructions, else in JavaScript.
 *
 * A picture batch lies in memory channel by channel, (C, N, H, W): a convolution is then one product
 * (channels out) x (channels in * kernel) . (channels in * kernel) x (N * H * W), for all pictures at once.
 */
(function (scope) {
  "use strict";

  /* --- the file: protobuf, as far as ONNX needs it --- */

  /* Fields of a message: number -> list of values; bytes stay bytes (Uint8Array), whole numbers become numbers. */
  function fields(bytes) {
    var found = {}, at = 0, view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    function whole() {
      var value = 0, factor = 1, byte;
      do {
        byte = bytes[at++];
        value += (byte & 127) * factor;
        factor *= 128;
      } while (byte & 128);
      return value >= 9223372036854775808 ? value - 18446744073709551616 : value;
    }
    while (at < bytes.length) {
      var key = whole(), kind = key & 7, number = key >>> 3, value, length;
      if (kind === 0) value = whole();
      else if (kind === 5) { value = view.getFloat32(at, true); at += 4; }
      else if (kind === 1) { value = view.getFloat64(at, true); at += 8; }
      else if (kind === 2) { length = whole(); value = bytes.subarray(at, at + length); at += length; }
      else throw new Error("not an ONNX file");
      (found[number] = found[number] || []).push(value);
    }
    return found;
  }

  function text(bytes) { return bytes ? new TextDecoder().decode(bytes) : ""; }

  /* Repeated whole numbers, packed or not. */
  function wholes(values) {
    var all = [];
    (values || []).forEach(function (value) {
      if (typeof value === "number") { all.push(value); return; }
      for (var at = 0; at < value.length;) {
        var number = 0, factor = 1, byte;
        do { byte = value[at++]; number += (byte & 127) * factor; factor *= 128; } while (byte & 128);
        all.push(number);
      }
    });
    return all;
  }

  /* Numbers in half precision (16 bits), in single. Exponent and fraction move to their places in 32 bits; a product with
   * a power of two then mends the exponent, which counts from another zero, and the numbers next to 0 with it. */
  function singles(halves) {
    var bits = new Uint32Array(halves.length), values = new Float32Array(bits.buffer), shift = Math.pow(2, 112);
    for (var i = 0; i < halves.length; i++) {
      bits[i] = (halves[i] & 0x8000) << 16 | (halves[i] & 0x7fff) << 13;
      values[i] *= shift;
    }
    return values;
  }

  function tensor(bytes) {
    var f = fields(bytes), raw = f[9] && f[9][0], kind = f[2][0], dims = wholes(f[1]);
    if (!raw || (kind !== 1 && kind !== 7 && kind !== 10)) throw new Error("a constant of the network is of an unknown kind");
    var copy = raw.slice().buffer;
    var data = kind === 1 ? new Float32Array(copy) : kind === 10 ? singles(new Uint16Array(copy))
      : Array.prototype.map.call(new BigInt64Array(copy), Number);
    return { name: text(f[8][0]), dims: dims, data: data };
  }

  /* The graph: nodes in order, constants by name, names of input and output, and what the exporter noted. */
  function parse(bytes) {
    var model = fields(bytes), graph = fields(model[7][0]), constants = {}, notes = {};
    (graph[5] || []).forEach(function (entry) { var t = tensor(entry); constants[t.name] = t; });
    (model[14] || []).forEach(function (entry) { var f = fields(entry); notes[text(f[1][0])] = text(f[2] && f[2][0]); });
    return {
      constants: constants,
      notes: notes,
      input: text(fields(graph[11][0])[1][0]),
      output: text(fields(graph[12][0])[1][0]),
      nodes: graph[1].map(function (entry) {
        var f = fields(entry), attributes = {};
        (f[5] || []).forEach(function (given) {
          var a = fields(given);
          attributes[text(a[1][0])] = a[8] ? wholes(a[8]) : a[3] ? a[3][0] : a[2] ? a[2][0] : text(a[4] && a[4][0]);
        });
        return { kind: text(f[4][0]), inputs: (f[1] || []).map(text), output: text(f[2][0]), attributes: attributes };
      }),
    };
  }

  /* --- the product --- */

  /* As matmul.wat; addresses count bytes. Also what runs where WebAssembly is missing. */
  function plainProduct(floats) {
    return function (weights, values, bias, out, rows, inner, columns) {
      weights >>= 2; values >>= 2; bias >>= 2; out >>= 2;
      for (var row = 0; row < rows; row += 4) {
        var w0 = weights + row * inner, w1 = w0 + inner, w2 = w1 + inner, w3 = w2 + inner;
        for (var column = 0; column < columns; column += 4) {
          var a0 = floats[bias + row], b0 = floats[bias + row + 1], c0 = floats[bias + row + 2], d0 = floats[bias + row + 3];
          var a1 = a0, a2 = a0, a3 = a0, b1 = b0, b2 = b0, b3 = b0, c1 = c0, c2 = c0, c3 = c0, d1 = d0, d2 = d0, d3 = d0;
          for (var k = 0, v = values + column; k < inner; k++, v += columns) {
            var v0 = floats[v], v1 = floats[v + 1], v2 = floats[v + 2], v3 = floats[v + 3], f = floats[w0 + k];
            a0 += f * v0; a1 += f * v1; a2 += f * v2; a3 += f * v3;
            f = floats[w1 + k];
            b0 += f * v0; b1 += f * v1; b2 += f * v2; b3 += f * v3;
            f = floats[w2 + k];
            c0 += f * v0; c1 += f * v1; c2 += f * v2; c3 += f * v3;
            f = floats[w3 + k];
            d0 += f * v0; d1 += f * v1; d2 += f * v2; d3 += f * v3;
          }
          var o = out + row * columns + column;
          floats[o] = a0; floats[o + 1] = a1; floats[o + 2] = a2; floats[o + 3] = a3; o += columns;
          floats[o] = b0; floats[o + 1] = b1; floats[o + 2] = b2; floats[o + 3] = b3; o += columns;
          floats[o] = c0; floats[o + 1] = c1; floats[o + 2] = c2; floats[o + 3] = c3; o += columns;
          floats[o] = d0; floats[o + 1] = d1; floats[o + 2] = d2; floats[o + 3] = d3;
        }
      }
    };
  }

  function up(count, unit) { return Math.ceil(count / unit) * unit; }

  /* --- the network --- */

  /* A network that is ready to run.
   *   bytes: Uint8Array, the ONNX file. kernel: Uint8Array, matmul.wat in binary form, or null.
   * Resolves to { notes, vector: whether WebAssembly is used, run(pictures, count, side) -> Float32Array }. */
  function load(bytes, kernel) {
    var graph = parse(bytes);
    graph.nodes.forEach(function (node) {
      if (!operations[node.kind]) throw new Error("the network has a layer of the kind " + node.kind);
    });
    var size = 0;
    Object.keys(graph.constants).forEach(function (name) {
      var t = graph.constants[name];
      size += 4 * up(t.dims[0] || 1, 4) * (t.data.length / (t.dims[0] || 1) || 1);
    });
    // Room for what lies between layers: every layer's values live until the run ends.
    var pages = Math.ceil((size + (24 << 20)) / 65536);

    function ready(memory, product, vector) {
      var state = { floats: new Float32Array(memory), product: product || plainProduct(new Float32Array(memory)), top: 64 };
      function place(data, rows) {
        var at = state.top, inner = data.length / rows;
        state.top = up(at + 4 * up(rows, 4) * inner, 64);
        state.floats.set(data, at >> 2); // the rows that fill up to four stay zero
        return at;
      }
      var placed = {};
      Object.keys(graph.constants).forEach(function (name) {
        var t = graph.constants[name];
        if (t.data instanceof Float32Array) placed[name] = { at: place(t.data, t.dims[0]), dims: t.dims };
      });
      var base = state.top;
      return {
        notes: graph.notes,
        vector: vector,
        run: function (pictures, count, side) {
          state.top = base;
          var values = {}, input = room(state, 1, count, side, side);
          state.floats.set(pictures, input.at >> 2);
          values[graph.input] = input;
          graph.nodes.forEach(function (node) {
            var given = node.inputs.map(function (name) { return values[name] || placed[name]; });
            values[node.output] = operations[node.kind](state, given, node.attributes);
          });
          var last = values[graph.output], result = new Float32Array(count * last.channels);
          for (var n = 0; n < count; n++)
            for (var c = 0; c < last.channels; c++)
              result[n * last.channels + c] = state.floats[(last.at >> 2) + c * last.stride + n];
          return result;
        },
      };
    }

    function without() { return ready(new ArrayBuffer(pages * 65536), null, false); }
    if (!kernel || typeof WebAssembly !== "object" || !WebAssembly.validate(kernel)) return Promise.resolve(without());
    var memory;
    try { memory = new WebAssembly.Memory({ initial: pages }); } catch (error) { return Promise.resolve(without()); }
    return WebAssembly.instantiate(kernel, { engine: { memory: memory } }).then(function (made) {
      return ready(memory.buffer, made.instance.exports.matmul, true);
    }, without);
  }

  /* Values of one layer: `channels` rows, each the N * H * W numbers of all pictures, filled up to a multiple of 8. */
  function room(state, channels, count, height, width) {
    var stride = up(count * height * width, 8), at = state.top;
    state.top = up(at + 4 * up(channels, 4) * stride, 64);
    if (state.top > 4 * state.floats.length) throw new Error("the pictures are too many or too large");
    return { at: at, channels: channels, count: count, height: height, width: width, stride: stride };
  }

  var operations = {
    Conv: function (state, given, a) {
      var x = given[0], w = given[1], out = w.dims[0], kh = w.dims[2], kw = w.dims[3];
      var height = Math.floor((x.height + a.pads[0] + a.pads[2] - kh) / a.strides[0]) + 1;
      var width = Math.floor((x.width + a.pads[1] + a.pads[3] - kw) / a.strides[1]) + 1;
      var y = room(state, out, x.count, height, width), inner = x.channels * kh * kw;
      var kept = state.top, patches = state.top, f = state.floats;
      if (kept + 4 * inner * y.stride > 4 * f.length) throw new Error("the pictures are too many or too large");
      var o = patches >> 2;
      for (var c = 0; c < x.channels; c++)
        for (var i = 0; i < kh; i++)
          for (var j = 0; j < kw; j++, o += y.stride) {
            f.fill(0, o, o + y.stride);
            var low = Math.max(0, Math.ceil((a.pads[1] - j) / a.strides[1]));
            var high = Math.min(width, Math.floor((x.width - 1 + a.pads[1] - j) / a.strides[1]) + 1);
            for (var n = 0; n < x.count; n++)
              for (var row = 0; row < height; row++) {
                var line = row * a.strides[0] + i - a.pads[0];
                if (line < 0 || line >= x.height) continue;
                var from = (x.at >> 2) + c * x.stride + (n * x.height + line) * x.width + j - a.pads[1];
                var to = o + (n * height + row) * width;
                for (var column = low; column < high; column++) f[to + column] = f[from + column * a.strides[1]];
              }
          }
      state.product(w.at, patches, given[2].at, y.at, up(out, 4), inner, y.stride);
      state.top = kept; // the patches are used up
      return y;
    },
    Relu: function (state, given) {
      var x = given[0], y = room(state, x.channels, x.count, x.height, x.width), f = state.floats;
      for (var i = 0, from = x.at >> 2, to = y.at >> 2, n = x.channels * x.stride; i < n; i++) f[to + i] = Math.max(0, f[from + i]);
      return y;
    },
    Add: function (state, given) {
      var x = given[0], y = room(state, x.channels, x.count, x.height, x.width), f = state.floats;
      for (var i = 0, p = x.at >> 2, q = given[1].at >> 2, to = y.at >> 2, n = x.channels * x.stride; i < n; i++) f[to + i] = f[p + i] + f[q + i];
      return y;
    },
    AveragePool: function (state, given, a) {
      var x = given[0], k = a.kernel_shape[0], f = state.floats;
      if (x.height % k || x.width % k || a.strides[0] !== k) throw new Error("a mean that does not divide the picture");
      var y = room(state, x.channels, x.count, x.height / k, x.width / k);
      for (var c = 0; c < x.channels; c++)
        for (var n = 0; n < x.count; n++)
          for (var row = 0; row < y.height; row++)
            for (var column = 0; column < y.width; column++) {
              var sum = 0, from = (x.at >> 2) + c * x.stride + (n * x.height + row * k) * x.width + column * k;
              for (var i = 0; i < k; i++) for (var j = 0; j < k; j++) sum += f[from + i * x.width + j];
              f[(y.at >> 2) + c * y.stride + (n * y.height + row) * y.width + column] = sum / (k * k);
            }
      return y;
    },
    ReduceMean: function (state, given) {
      var x = given[0], y = room(state, x.channels, x.count, 1, 1), f = state.floats, cells = x.height * x.width;
      for (var c = 0; c < x.channels; c++)
        for (var n = 0; n < x.count; n++) {
          var sum = 0, from = (x.at >> 2) + c * x.stride + n * cells;
          for (var i = 0; i < cells; i++) sum += f[from + i];
          f[(y.at >> 2) + c * y.stride + n] = sum / cells;
        }
      return y;
    },
    Gemm: function (state, given) {
      var x = given[0], w = given[1], y = room(state, w.dims[0], x.count, 1, 1);
      state.product(w.at, x.at, given[2].at, y.at, up(w.dims[0], 4), x.channels, y.stride);
      return y;
    },
  };

  /* Bytes of a base64 text. */
  function decode(base64) {
    var binary = atob(base64), bytes = new Uint8Array(binary.length);
    for (var i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  }

  function softmax(logits, temperature) {
    var top = Math.max.apply(null, logits), total = 0;
    var powers = logits.map(function (logit) { var power = Math.exp((logit - top) / temperature); total += power; return power; });
    return powers.map(function (power) { return power / total; });
  }

  /* What the network says of grey faces.
   *   network: from load. faces: list of Uint8Array, each side x side grey levels.
   * Returns a list of { shares, leads }: what share of a crowd names each emotion, and, at the temperature that was
   * fitted for it, how likely each is the one that most of them name. */
  function predict(network, faces) {
    var side = Number(network.notes.side), cells = side * side, mirror = network.notes.mirror === "true";
    var ways = mirror ? 2 : 1;
    return faces.map(function (face) {
      var batch = new Float32Array(ways * cells), logits = [];
      for (var i = 0; i < cells; i++) {
        batch[i] = face[i] / 255;
        if (mirror) batch[cells + i] = face[i - (i % side) + side - 1 - (i % side)] / 255;
      }
      var found = network.run(batch, ways, side), classes = found.length / ways;
      for (var c = 0; c < classes; c++) logits.push(mirror ? (found[c] + found[classes + c]) / 2 : found[c]);
      return { shares: softmax(logits, 1), leads: softmax(logits, Number(network.notes.temperature)) };
    });
  }

  scope.ferbookEngine = { load: load, decode: decode, predict: predict };
})(typeof window === "undefined" ? globalThis : window);
