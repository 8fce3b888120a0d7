// Calls rTorrent's methods over SCGI: as JSON-RPC where the server has it (0.15.2 and later), else as XML-RPC.
import { ScgiClient } from '@scgi/client';
import * as json from './json-rpc.js';
import { decodeAnswer } from './xml-rpc-answer.js';
import { encodeCall } from './xml-rpc-call.js';

export class Rtorrent {
  #client;
  #speaksJson;

  constructor(target) {
    this.#client = new ScgiClient(target, { maxConcurrent: 10 }); // rTorrent answers one after the other anyway
  }

  /** An older server takes whatever comes for XML, and says in XML that this is none. */
  speaksJson() {
    this.#speaksJson ??= this.#post('application/json', json.encodeCall('system.client_version', [])).then(
      ({ type }) => type === 'application/json',
    );
    return this.#speaksJson;
  }

  async call(method, ...params) {
    if (await this.speaksJson()) {
      const { text } = await this.#post('application/json', json.encodeCall(method, params));
      return json.decodeAnswer(text);
    }
    const { text } = await this.#post('text/xml', encodeCall(method, params));
    return decodeAnswer(text);
  }

  async #post(type, body) {
    const response = await this.#client.request({ path: '/RPC2', headers: { 'content-type': type }, body });
    return { type: response.headers.get('content-type'), text: await response.text() };
  }
}
