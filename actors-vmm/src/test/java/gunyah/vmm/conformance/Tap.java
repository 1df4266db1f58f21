package gunyah.vmm.conformance;

import gunyah.hyp.HypercallPort;
import gunyah.hyp.VcpuWork;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntConsumer;

/**
 * Between the host driver and the hypervisor: sees every call the driver makes and may answer in the hypervisor's place,
 * or change what the Resource Manager wrote. Thread safe.
 */
final class Tap {
    static final long MSGQ_SEND = 0xC600801BL;
    static final long MSGQ_RECV = 0xC600801CL;
    static final long MAP = 0xC600802BL;
    static final long UNMAP = 0xC600802CL;
    static final long DONATE = 0xC6008061L;
    static final long VCPU_RUN = 0xC6008065L;
    static final long SET_MASK = 0xC6008015L;
    private static final int HEADER = 8;

    /** A call before it is made: function id in {@code x[0]}. */
    @FunctionalInterface
    interface Before {
        /** {@return whether it was answered here, in {@code x}} */
        boolean answer(long[] x);
    }

    /** A call after it was made. */
    @FunctionalInterface
    interface After {
        void see(long[] arguments, long[] results);
    }

    /** A message of the Resource Manager before the driver sees it. */
    @FunctionalInterface
    interface Reply {
        /** {@return the bytes the driver gets instead, or the same} */
        byte[] change(byte[] message);
    }

    /** One call with its arguments and results. */
    record Call(long[] arguments, long[] results) {
        long function() {
            return arguments[0];
        }
    }

    private final List<Before> before = new CopyOnWriteArrayList<>();
    private final List<After> after = new CopyOnWriteArrayList<>();
    private final List<Reply> replies = new CopyOnWriteArrayList<>();
    private final List<Reply> requestHooks = new CopyOnWriteArrayList<>();
    private final ConcurrentLinkedQueue<byte[]> injected = new ConcurrentLinkedQueue<>();
    private final List<Call> calls = new ArrayList<>();
    private final List<byte[]> requests = new ArrayList<>();
    private volatile boolean recording;
    private volatile HypercallPort host;

    /** Undoes everything a test set up. */
    void clear() {
        before.clear();
        after.clear();
        replies.clear();
        requestHooks.clear();
        injected.clear();
        synchronized (calls) {
            calls.clear();
            requests.clear();
        }
        recording = false;
    }

    void before(Before hook) {
        before.add(hook);
    }

    void after(After hook) {
        after.add(hook);
    }

    void replies(Reply hook) {
        replies.add(hook);
    }

    /** Changes a request on its way to the Resource Manager: whole packets with their header. */
    void request(Reply hook) {
        requestHooks.add(hook);
    }

    /** Makes the requests with that id ones that the Resource Manager refuses: the first payload word names no VM. */
    void breakRequest(int messageId) {
        request(packet -> id(packet) == messageId
                ? ByteBuffer.wrap(packet).order(ByteOrder.LITTLE_ENDIAN).putShort(HEADER, (short) 0xFFFE).array()
                : packet);
    }

    /** {@return the message id of a packet} */
    static int id(byte[] packet) {
        return ByteBuffer.wrap(packet).order(ByteOrder.LITTLE_ENDIAN).getInt(4);
    }

    /** The driver receives that message before the next of the Resource Manager. */
    void inject(byte[] message) {
        injected.add(message);
    }

    /** Answers the next call of that function with an error, once. */
    void failOnce(long function, long error) {
        Before[] hook = new Before[1];
        hook[0] = x -> {
            if (x[0] != function || !before.remove(hook[0])) {
                return false;
            }
            java.util.Arrays.fill(x, 0);
            x[0] = error;
            return true;
        };
        before.add(hook[0]);
    }

    /** Puts that error word into the reply to a message, every time. */
    void failRequest(int messageId, int error) {
        replies.add(message -> {
            ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
            boolean reply = message.length >= HEADER + 4 && (message[1] & 3) == 2 && in.getInt(4) == messageId;
            return reply ? in.putInt(HEADER, error).array() : message;
        });
    }

    void record() {
        recording = true;
    }

    /** {@return the recorded calls of those functions} */
    List<Call> calls(long function) {
        synchronized (calls) {
            return calls.stream().filter(call -> call.function() == function).toList();
        }
    }

    /** {@return the recorded requests to the Resource Manager, whole packets with their header} */
    List<byte[]> requests() {
        synchronized (calls) {
            return List.copyOf(requests);
        }
    }

    /** {@return ids of the recorded requests, one for each message} */
    List<Integer> requestIds() {
        return requests().stream().filter(packet -> (packet[1] & 3) == 1)
                .map(packet -> ByteBuffer.wrap(packet).order(ByteOrder.LITTLE_ENDIAN).getInt(4)).toList();
    }

    /** {@return the port of a host CPU, past the driver} */
    HypercallPort host() {
        return host;
    }

    /** {@return the work with its calls going through here} */
    VcpuWork tapped(VcpuWork work) {
        return new VcpuWork() {
            private Context tapped;

            @Override
            public void boot(Context context, long entry, long x0) {
                host = context.port();
                tapped = new TappedContext(context, new TappedPort(host));
                work.boot(tapped, entry, x0);
            }

            @Override
            public Result run(Context context) {
                return work.run(tapped);
            }
        };
    }

    private record TappedContext(VcpuWork.Context context, HypercallPort port) implements VcpuWork.Context {
        @Override
        public boolean shouldYield() {
            return context.shouldYield();
        }

        @Override
        public void wake() {
            context.wake();
        }

        @Override
        public int index() {
            return context.index();
        }
    }

    private final class TappedPort implements HypercallPort {
        private final HypercallPort port;

        TappedPort(HypercallPort port) {
            this.port = port;
        }

        @Override
        public void call(int number, long[] x) {
            port.call(number, x);
        }

        @Override
        public void smccc(long[] x) {
            long[] arguments = x.clone();
            if (x[0] == MSGQ_SEND) {
                sent((int) x[2], x[3]);
            }
            boolean answered = x[0] == MSGQ_RECV && injected(x);
            for (Before hook : before) {
                answered = answered || hook.answer(x);
            }
            if (!answered) {
                port.smccc(x);
                if (arguments[0] == MSGQ_RECV && x[0] == 0) {
                    received(arguments[2], x);
                }
            }
            for (After hook : after) {
                hook.see(arguments, x);
            }
            if (recording) {
                synchronized (calls) {
                    calls.add(new Call(arguments, x.clone()));
                }
            }
        }

        private void sent(int size, long buffer) {
            byte[] packet = new byte[size];
            port.read(buffer, packet, 0, size);
            for (Reply hook : requestHooks) {
                packet = hook.change(packet);
            }
            port.write(buffer, packet, 0, size);
            if (recording) {
                synchronized (calls) {
                    requests.add(packet);
                }
            }
        }

        private boolean injected(long[] x) {
            byte[] message = injected.poll();
            if (message == null) {
                return false;
            }
            port.write(x[2], message, 0, message.length);
            java.util.Arrays.fill(x, 0);
            x[1] = message.length;
            x[2] = 1;
            return true;
        }

        private void received(long buffer, long[] x) {
            if (replies.isEmpty()) {
                return;
            }
            byte[] message = new byte[(int) x[1]];
            port.read(buffer, message, 0, message.length);
            for (Reply hook : replies) {
                message = hook.change(message);
            }
            port.write(buffer, message, 0, message.length);
            x[1] = message.length;
        }

        @Override
        public void read(long ipa, byte[] target, int offset, int length) {
            port.read(ipa, target, offset, length);
        }

        @Override
        public void write(long ipa, byte[] source, int offset, int length) {
            port.write(ipa, source, offset, length);
        }

        @Override
        public void onInterrupt(IntConsumer handler) {
            port.onInterrupt(handler);
        }
    }
}
