package gunyah.vmm.net;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Learning Ethernet switches that join VMs, by name. A switch exists while a card is plugged into it. Frames are handed
 * on by the sender's loop; a receiver that is behind loses them, as on any switch. Thread safe.
 */
public final class NetSwitch {
    private static final int MAX_ADDRESSES = 4096;

    private final Map<String, Fabric> fabrics = new HashMap<>();

    /** One switch. */
    private static final class Fabric {
        private final List<Port> ports = new CopyOnWriteArrayList<>();
        private final Map<Long, Port> learned = new HashMap<>();
        /** Ports made and not closed; guarded by the monitor of all switches. */
        private int users;

        void forward(Port from, Frame frame) {
            long target = address(frame.bytes(), 0);
            Port known;
            synchronized (this) {
                if (learned.size() < MAX_ADDRESSES) {
                    learned.put(address(frame.bytes(), 6), from);
                }
                known = isGroup(target) ? null : learned.get(target);
            }
            if (known != null) {
                if (known != from) {
                    known.deliver(frame);
                }
                return;
            }
            for (Port port : ports) {
                if (port != from) {
                    port.deliver(frame);
                }
            }
        }

        private static long address(byte[] bytes, int at) {
            long address = 0;
            for (int i = 0; i < 6; i++) {
                address = address << 8 | bytes[at + i] & 0xff;
            }
            return address;
        }

        private static boolean isGroup(long address) {
            return (address >> 40 & 1) != 0;
        }

        synchronized void forget(Port port) {
            ports.remove(port);
            learned.values().removeIf(p -> p == port);
        }
    }

    private final class Port implements Network {
        private final String name;
        private final Fabric fabric;
        private Card card;

        Port(String name, Fabric fabric) {
            this.name = name;
            this.fabric = fabric;
        }

        @Override
        public boolean takesLargeFrames() {
            return true;
        }

        void deliver(Frame frame) {
            if (frame.segmentSize() == 0 || card.takesLargeFrames(TcpSegments.version(frame))) {
                card.deliver(frame);
            } else {
                TcpSegments.of(frame).forEach(card::deliver);
            }
        }

        @Override
        public void plug(Card plugged) {
            card = plugged;
            fabric.ports.add(this);
        }

        @Override
        public void send(Frame frame) {
            fabric.forward(this, frame);
        }

        @Override
        public void close() {
            synchronized (NetSwitch.this) {
                fabric.forget(this);
                if (--fabric.users == 0) {
                    fabrics.remove(name, fabric);
                }
            }
        }
    }

    /** {@return a new port of the switch of that name} */
    public synchronized Network port(String name) {
        Fabric fabric = fabrics.computeIfAbsent(name, ignored -> new Fabric());
        fabric.users++;
        return new Port(name, fabric);
    }
}
