import { show, size } from './show.js';

const form = document.querySelector('#upload form');
const progress = document.getElementById('upload-progress');
const cancel = document.getElementById('upload-cancel');
const submit = form.querySelector('button:not([type])');
const limit = Number(form.dataset.limit);

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const file = form.elements.file.files[0];
  if (file.size > limit) return show('upload-result', 'bad', `${file.name} is larger than ${size(limit)}`);
  send(new FormData(form));
});

/**
 * fetch cannot tell how much of a request is sent; XMLHttpRequest can.
 * @param {FormData} data
 */
function send(data) {
  const request = new XMLHttpRequest();
  const started = performance.now();
  request.open('POST', form.action);
  request.setRequestHeader('accept', 'application/json');
  request.responseType = 'json';
  request.upload.addEventListener('progress', ({ loaded, total }) => {
    progress.value = loaded / total;
    const rate = (loaded / (performance.now() - started)) * 1000;
    show('upload-result', 'busy', `${size(loaded)} of ${size(total)}, ${size(rate)}/s`);
  });
  request.addEventListener('load', () => report(request));
  request.addEventListener('error', () => show('upload-result', 'bad', 'The connection broke'));
  request.addEventListener('abort', () => show('upload-result', 'bad', 'Cancelled'));
  request.addEventListener('loadend', () => setBusy(false));
  cancel.onclick = () => request.abort();
  setBusy(true);
  request.send(data);
}

/** @param {XMLHttpRequest} request */
function report({ status, response }) {
  if (status !== 201) {
    return show('upload-result', 'bad', `${status}. ${response?.error?.message ?? 'The upload was refused'}`);
  }
  show('upload-result', 'good', `Received ${response.name}`, {
    size: `${response.size} bytes`,
    type: response.type,
    sha256: response.sha256,
  });
}

/** @param {boolean} busy */
function setBusy(busy) {
  progress.hidden = !busy;
  cancel.hidden = !busy;
  submit.disabled = busy;
  if (busy) progress.value = 0;
}
