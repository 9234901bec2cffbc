// The camera: started, switched, lost. What goes wrong comes out as words for the visitor.

function makeCamera(video, on) {
  const camera = { stream: null };
  const wanted = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  const words = {
    NotAllowedError: 'The camera was refused. Allow it for this page (the sign beside the address), then press Start camera.',
    NotFoundError: 'No camera was found. Connect one, then press Start camera.',
    NotReadableError: 'The camera does not start; another program may be using it. Close that, then press Start camera.',
  };

  async function ask(device) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error('Browsers give the camera only to pages with a secure address (the lock sign), or on this machine (localhost).');
    }
    const which = device ? { deviceId: { exact: device } } : { facingMode: 'user' };
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...wanted, ...which } });
    } catch (error) {
      if (error.name !== 'OverconstrainedError') throw error;
      return navigator.mediaDevices.getUserMedia({ audio: false, video: true });
    }
  }

  camera.start = async (device) => {
    try {
      const stream = await ask(device);
      camera.stop();
      camera.stream = video.srcObject = stream;
      stream.getVideoTracks()[0].addEventListener('ended', () => stream === camera.stream && lost());
      await video.play();
    } catch (error) {
      throw new Error(words[error.name] ?? error.message);
    }
  };

  camera.stop = () => {
    for (const track of camera.stream?.getTracks() ?? []) track.stop();
    camera.stream = video.srcObject = null;
  };

  function lost() {
    camera.stop();
    on.cameraLost('The camera is gone: unplugged, or taken by another program. Connect it, then press Start camera.');
  }
  setInterval(() => camera.stream?.getVideoTracks()[0].readyState === 'ended' && lost(), 1000);

  camera.list = async () => {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const used = camera.stream?.getVideoTracks()[0].getSettings().deviceId;
    return devices
      .filter((device) => device.kind === 'videoinput')
      .map((device, index) => ({ id: device.deviceId, name: device.label || 'Camera ' + (index + 1), used: device.deviceId === used }));
  };

  // Whether it looks at the person, and so is shown like a mirror.
  camera.facesUser = () => camera.stream?.getVideoTracks()[0].getSettings().facingMode !== 'environment';

  // The frame of this moment, of the camera's full size: a PNG file.
  camera.still = async () => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext('2d').drawImage(video, 0, 0);
    const picture = await new Promise((done) => canvas.toBlob(done, 'image/png'));
    const when = new Date(Date.now() - 60000 * new Date().getTimezoneOffset()).toISOString().slice(0, 19);
    return new File([picture], 'camera ' + when.replace('T', ' ').replaceAll(':', '.') + '.png', { type: 'image/png' });
  };
  return camera;
}
