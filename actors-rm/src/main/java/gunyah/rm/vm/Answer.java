package gunyah.rm.vm;

import gunyah.rm.rpc.Reply;

/** Where the reply of one request goes; called exactly once, now or in a later turn. */
@FunctionalInterface
public interface Answer {
    void send(Reply reply);
}
