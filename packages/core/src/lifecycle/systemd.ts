// Socket activation: the descriptors that systemd (or any parent that speaks its protocol) passed to this process.
// The protocol is sd_listen_fds(3): LISTEN_PID names the receiver, LISTEN_FDS counts descriptors from 3 up,
// LISTEN_FDNAMES names them. Reads the environment only; never touches a descriptor.
import { LocalProtocolError } from '../protocol/errors.js';

/** A socket that systemd opened for us. */
export interface SystemdSocket {
  readonly fd: number;
  /** FileDescriptorName= of the .socket unit; 'unknown' if none was passed, as sd_listen_fds_with_names(3) has it. */
  readonly name: string;
}

const firstDescriptor = 3; // SD_LISTEN_FDS_START
// LISTEN_PIDFDID is the newer systemd's guard against reused process ids; of no use without pidfds, but not to be inherited.
const variables = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'] as const;

/**
 * The sockets passed to this process, or undefined if there are none. Removes the variables from `environment` when
 * they were for us, so that no child takes them for its own and no second call takes them twice.
 * @throws LocalProtocolError ERR_SCGI_BIND: the variables are for us but malformed.
 */
export function takeSystemdSockets(environment: NodeJS.ProcessEnv, pid: number): readonly SystemdSocket[] | undefined {
  const { LISTEN_PID: receiver, LISTEN_FDS: count, LISTEN_FDNAMES: names } = environment;
  if (receiver === undefined || count === undefined) return undefined;
  if (!/^[1-9][0-9]{0,9}$/.test(receiver)) throw malformed('LISTEN_PID', receiver, 'not a process id');
  // For another process: npm, a shell or a wrapper in between was the receiver. Its variables stay.
  if (Number(receiver) !== pid) return undefined;
  for (const variable of variables) delete environment[variable];
  if (!/^[1-9][0-9]{0,3}$/.test(count)) throw malformed('LISTEN_FDS', count, 'not a number of sockets');
  const total = Number(count);
  const given = names === undefined || names === '' ? [] : names.split(':');
  if (given.length !== 0 && given.length !== total) {
    throw malformed('LISTEN_FDNAMES', names, `${given.length} names for ${total} sockets`);
  }
  return Array.from({ length: total }, (_, index) => ({
    fd: firstDescriptor + index,
    name: given[index] ?? 'unknown',
  }));
}

function malformed(variable: string, value: string | undefined, problem: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_BIND', {
    variable,
    value,
    problem,
    remedy: 'let systemd set it (sd_listen_fds(3)), or unset LISTEN_PID and LISTEN_FDS',
  });
}
