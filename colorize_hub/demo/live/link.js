// Frames to the server and back: a seat, then one request for each frame (see routes.py).

function makeLink() {
  const address = (name) => pageUrl('live/' + name) + '?visitor=' + VISITOR;
  const link = {};

  class Refused extends Error {
    constructor(status, message) {
      super(message);
      this.status = status;
    }
  }

  async function post(name, body) {
    const answer = await fetch(address(name), { method: 'POST', body });
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, said.error ?? said.detail ?? 'The server said ' + answer.status + '.');
  }

  // { place: 0 with a seat, else the place in the queue; fresh: the server remembers nothing }
  link.join = async () => (await post('join')).json();

  link.leave = () => navigator.sendBeacon(address('leave'));

  // What the server says of the frame, a canvas, and the frame in colour, an ImageBitmap.
  link.frame = async (wish, canvas) => {
    const picture = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.85));
    const text = new TextEncoder().encode(JSON.stringify(wish));
    const length = new DataView(new ArrayBuffer(4));
    length.setUint32(0, text.length);
    const answer = await post('frame', new Blob([length.buffer, text, picture]));
    const body = await answer.arrayBuffer();
    const end = 4 + new DataView(body).getUint32(0);
    const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, end - 4)));
    return { facts, picture: await createImageBitmap(new Blob([new Uint8Array(body, end)], { type: 'image/jpeg' })) };
  };
  return link;
}
