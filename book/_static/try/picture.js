/* From a picture to the 48 x 48 grey levels that the network sees, to the last bit as `browser.face_of` in Python. */
(function (scope) {
  "use strict";

  /* Grey levels of RGBA pixels, with the weights that Pillow uses for its mode L. */
  function grey(rgba) {
    var levels = new Uint8Array(rgba.length / 4);
    for (var i = 0, p = 0; i < levels.length; i++, p += 4)
      levels[i] = (rgba[p] * 19595 + rgba[p + 1] * 38470 + rgba[p + 2] * 7471 + 32768) >> 16;
    return levels;
  }

  /* Half goes to the even neighbour, as in PyTorch. */
  function rounded(value) {
    var low = Math.floor(value), rest = value - low;
    return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
  }

  /* Where the samples along one side lie: neighbours and the weight of the second; beyond the picture, its edge. */
  function samples(start, zoom, k, size, length) {
    var first = new Int32Array(size * k), second = new Int32Array(size * k), weight = new Float64Array(size * k);
    for (var i = 0; i < size * k; i++) {
      var at = Math.min(Math.max(zoom * ((i + 0.5) / k) + start - 0.5, 0), length - 1);
      first[i] = Math.floor(at);
      second[i] = Math.min(first[i] + 1, length - 1);
      weight[i] = at - first[i];
    }
    return { first: first, second: second, weight: weight };
  }

  /* A square of a grey picture, size x size. `box`: left, top and side in pixels of the picture, from its corner.
   * Where the square shrinks k times, k x k samples are averaged. */
  function cut(levels, width, height, box, size) {
    var zoom = box.side / size, k = Math.min(Math.max(Math.ceil(zoom - 1e-6), 1), 8), face = new Uint8Array(size * size);
    var xs = samples(box.left, zoom, k, size, width), ys = samples(box.top, zoom, k, size, height);
    for (var row = 0; row < size; row++)
      for (var column = 0; column < size; column++) {
        var sum = 0;
        for (var i = row * k; i < (row + 1) * k; i++) {
          var upper = ys.first[i] * width, lower = ys.second[i] * width, down = ys.weight[i];
          for (var j = column * k; j < (column + 1) * k; j++) {
            var a = xs.first[j], b = xs.second[j], right = xs.weight[j];
            sum += (1 - down) * ((1 - right) * levels[upper + a] + right * levels[upper + b])
              + down * ((1 - right) * levels[lower + a] + right * levels[lower + b]);
          }
        }
        face[row * size + column] = Math.min(Math.max(rounded(sum / (k * k)), 0), 255);
      }
    return face;
  }

  scope.ferbookPicture = { grey: grey, cut: cut };
})(typeof window === "undefined" ? globalThis : window);
