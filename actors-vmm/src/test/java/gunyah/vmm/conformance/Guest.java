package gunyah.vmm.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.Serial;
import gunyah.vmm.boot.GuestTree;
import gunyah.vmm.boot.Ram;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;

/**
 * A VM with the probe program in it: lent RAM of 4 MiB, program at its start, device tree behind, vCPUs with descriptors.
 * Each vCPU is a {@link Probe}.
 */
final class Guest implements AutoCloseable {
    static final long RAM = 0x8000_0000L;
    static final long RAM_SIZE = 4 << 20;
    static final long DTB = RAM + (1 << 20);
    static final int DTB_SIZE = 0x8000;
    /** Free for tests, up to the end of RAM. */
    static final long FREE = RAM + (2 << 20);
    static final GuestTree.Places PLACES = new GuestTree.Places(0x0800_0000L, 0x080a_0000L, 0x0900_0000L, 1,
            0x0901_0000L, 2, new GuestTree.Virtio(0, 0, 0, 0, 0, 0), Serial.PL011);
    /** SPIs 1 and 2 are the device tree's doorbells. */
    static final int LINE = 1;
    static final int LINE_INTID = 33;

    final Client client;
    final int vm;
    final int memory;
    final Probe[] cpus;

    private Guest(Client client, int vm, int memory, int cpuCount) {
        this.client = client;
        this.vm = vm;
        this.memory = memory;
        cpus = new Probe[cpuCount];
        for (int id = 0; id < cpuCount; id++) {
            cpus[id] = new Probe(client, client.addVcpu(vm, id));
        }
    }

    /** A VM with everything set up and nothing started. */
    static Guest prepared(Client client, int cpus) {
        return prepared(client, cpus, Client.LEND | Client.RWX, 0);
    }

    static Guest prepared(Client client, int cpus, int mapFlags, long memoryFlags) {
        int vm = client.createVm();
        int memory = (int) client.createMemory(RAM_SIZE, memoryFlags);
        assertThat(memory).isPositive();
        load(client, memory, cpus);
        assertThat(client.map(vm, mapFlags, memory, RAM, 0, RAM_SIZE)).isZero();
        assertThat(client.setDtb(vm, DTB, DTB_SIZE)).isZero();
        assertThat(client.setRegister(vm, 1, 0, RAM)).isZero();
        return new Guest(client, vm, memory, cpus);
    }

    static Guest started(Client client, int cpus) {
        Guest guest = prepared(client, cpus);
        guest.start();
        return guest;
    }

    /** Starts it and brings its first vCPU to the first command. */
    void start() {
        assertThat(client.start(vm)).isZero();
        cpus[0].awaitUp();
    }

    /** Lets the interrupt line of the device tree through to the first vCPU, which polls for it. */
    void listen() {
        long gicd = PLACES.gicd();
        int register = LINE_INTID / 32 * 4;
        cpu().openInterrupts();
        store32(PLACES.gicr() + 0x14, 0);
        store32(gicd + 0x000, 0x13);
        store32(gicd + 0x080 + register, -1);
        store32(gicd + 0x400 + LINE_INTID / 4 * 4, 0);
        cpu().put(gicd + 0x6000 + LINE_INTID * 8, 0);
        // edge triggered, whose level does not matter; with a level line the flag clears itself
        store32(gicd + 0xC00 + LINE_INTID / 16 * 4, 2 << LINE_INTID % 16 * 2);
        store32(gicd + 0x100 + register, 1 << LINE_INTID % 32);
    }

    private void store32(long address, int value) {
        Probe.value(cpu().store(address, 4, value & 0xFFFF_FFFFL));
    }

    static void load(Client client, int memory, int cpus) {
        client.write(memory, 0, program());
        client.write(memory, DTB - RAM, tree(cpus));
    }

    static byte[] tree(int cpus) {
        return new GuestTree("probe", cpus, new Ram(RAM, RAM_SIZE), PLACES).generate("", Optional.empty()).toBytes();
    }

    static byte[] program() {
        try (InputStream in = Guest.class.getResourceAsStream("probe.img")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Probe cpu() {
        return cpus[0];
    }

    @Override
    public void close() {
        for (Probe cpu : cpus) {
            client.close(cpu.fd);
        }
        client.close(vm);
        client.close(memory);
    }
}
