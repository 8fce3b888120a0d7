// All behaviours, by subject. Holds no logic.
import type { BehaviourTable } from '../support/behaviour.js';
import { abortInRequest } from './abort-in-request.js';
import { abortInResponse } from './abort-in-response.js';
import { body } from './body.js';
import { destroy } from './destroy.js';
import { errors } from './errors.js';
import { events } from './events.js';
import { fields } from './fields.js';
import { framing } from './framing.js';
import { frameworks } from './frameworks.js';
import { head } from './head.js';
import { malformedInput } from './malformed-input.js';
import { requestFields } from './request-fields.js';
import { requests } from './requests.js';
import { servers } from './servers.js';
import { timeouts } from './timeouts.js';
import { upgrades } from './upgrades.js';
import { uploads } from './uploads.js';

export const subjects: Readonly<Record<string, BehaviourTable>> = {
  'the head of the response': head,
  'response fields': fields,
  'framing of the response': framing,
  'writing the body': body,
  'events and flags': events,
  'misuse and failure': errors,
  'destroying request, response and socket': destroy,
  'clients that leave in the request': abortInRequest,
  'clients that leave in the response': abortInResponse,
  deadlines: timeouts,
  'the request': requests,
  'fields of the request': requestFields,
  'reading the body': uploads,
  'the server': servers,
  upgrades,
  'malformed input': malformedInput,
  'frameworks and tools': frameworks,
};
