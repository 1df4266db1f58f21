package gunyah.vmm.driver;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallPort;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * A hypervisor of arrays and lists behind the port: memory by page, two message queues, and a record of every other
 * call, answered OK unless a test queued another answer. Calls are serialised.
 */
final class FakeGunyah implements HypercallPort {
    static final long TX_CAP = 0x71;
    static final long RX_CAP = 0x72;
    static final int TX_INTID = 40;
    static final int RX_INTID = 41;

    /** One hypercall: function id and arguments. */
    record Call(long function, List<Long> arguments) {
        static Call of(long function, long... arguments) {
            return new Call(function, Arrays.stream(arguments).boxed().toList());
        }

        @Override
        public String toString() {
            StringBuilder text = new StringBuilder("%x(".formatted(function));
            arguments.forEach(a -> text.append(Long.toHexString(a)).append(' '));
            return text.append(')').toString();
        }
    }

    /** What the program of a message queue's other end does with a message. */
    interface Peer {
        void received(byte[] message);
    }

    /** Answers a call by changing the registers. */
    interface Answer {
        void answer(long[] x);
    }

    private final Map<Long, byte[]> memory = new HashMap<>();
    private final Set<Long> lent = new HashSet<>();
    private final List<Call> calls = new ArrayList<>();
    private final Map<Long, Deque<Answer>> answers = new HashMap<>();
    private final Deque<byte[]> toHost = new ArrayDeque<>();
    private final List<Long> sendFlags = new ArrayList<>();
    private Peer peer = message -> { };
    private IntConsumer interrupts = intid -> { };
    private int sendRoom = Integer.MAX_VALUE;
    private int overfull;

    synchronized void peer(Peer other) {
        peer = other;
    }

    /** After this many messages the TX queue says that it has no more room. */
    synchronized void sendRoom(int messages) {
        sendRoom = messages;
    }

    /** The next send finds the queue full. */
    synchronized void nextSendIsFull() {
        overfull = 1;
    }

    synchronized void answer(long function, Answer answer) {
        answers.computeIfAbsent(function, ignored -> new ArrayDeque<>()).add(answer);
    }

    synchronized void fail(long function, HypError error) {
        answer(function, x -> x[0] = error.code());
    }

    /** {@return the calls recorded since the last time, oldest first} */
    synchronized List<Call> takeCalls() {
        List<Call> taken = List.copyOf(calls);
        calls.clear();
        return taken;
    }

    synchronized List<Long> sendFlags() {
        return List.copyOf(sendFlags);
    }

    /** Puts a message into the queue to the host, without an interrupt. */
    synchronized void toHost(byte[] message) {
        toHost.add(message);
    }

    void raise(int intid) {
        interrupts.accept(intid);
    }

    /** Makes a page unreachable for the host, or reachable again. */
    synchronized void lent(long address, boolean isLent) {
        if (isLent) {
            lent.add(address >> 12);
        } else {
            lent.remove(address >> 12);
        }
    }

    @Override
    public void call(int number, long[] x) {
        throw new AssertionError("the driver makes SMCCC calls only");
    }

    @Override
    public synchronized void smccc(long[] x) {
        long function = x[0];
        if (function == Hvc.MSGQ_SEND) {
            send(x);
            return;
        }
        if (function == Hvc.MSGQ_RECV) {
            receive(x);
            return;
        }
        calls.add(new Call(function, Arrays.stream(x, 1, 8).boxed().toList()));
        x[0] = 0;
        Deque<Answer> scripted = answers.get(function);
        if (scripted != null && !scripted.isEmpty()) {
            scripted.remove().answer(x);
        }
    }

    private void send(long[] x) {
        if (x[1] != TX_CAP) {
            throw new AssertionError("send to 0x%x".formatted(x[1]));
        }
        if (overfull > 0) {
            overfull--;
            x[0] = HypError.MSGQUEUE_FULL.code();
            x[1] = 0;
            return;
        }
        byte[] message = new byte[(int) x[2]];
        read(x[3], message, 0, message.length);
        sendFlags.add(x[4]);
        sendRoom--;
        x[0] = 0;
        x[1] = sendRoom > 0 ? 1 : 0;
        peer.received(message);
    }

    private void receive(long[] x) {
        if (x[1] != RX_CAP) {
            throw new AssertionError("receive from 0x%x".formatted(x[1]));
        }
        byte[] message = toHost.poll();
        if (message == null) {
            x[0] = HypError.MSGQUEUE_EMPTY.code();
            x[2] = 0;
            return;
        }
        write(x[2], message, 0, message.length);
        x[0] = 0;
        x[1] = message.length;
        x[2] = toHost.isEmpty() ? 0 : 1;
    }

    @Override
    public synchronized void read(long ipa, byte[] target, int offset, int length) {
        for (int i = 0; i < length; i++) {
            target[offset + i] = page(ipa + i)[(int) (ipa + i & 0xfff)];
        }
    }

    @Override
    public synchronized void write(long ipa, byte[] source, int offset, int length) {
        for (int i = 0; i < length; i++) {
            page(ipa + i)[(int) (ipa + i & 0xfff)] = source[offset + i];
        }
    }

    private byte[] page(long ipa) {
        if (lent.contains(ipa >> 12)) {
            throw new ExternalAbort(ipa);
        }
        return memory.computeIfAbsent(ipa >> 12, ignored -> new byte[4096]);
    }

    @Override
    public void onInterrupt(IntConsumer handler) {
        interrupts = handler;
    }
}
