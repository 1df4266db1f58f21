package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MachineStateTest {
    private final Machine machine = new Machine();

    @AfterEach
    void close() {
        machine.close();
    }

    /** The change is seen, has a digest of its own, and is told. {@return the state after it} */
    private MachineState changed(MachineState before, String told) {
        MachineState after = machine.state();
        assertThat(after).isNotEqualTo(before);
        assertThat(after.digest()).isNotEqualTo(before.digest());
        assertThat(String.join("\n", before.difference(after))).contains(told);
        return after;
    }

    @Test
    void aCallThatFailsLeavesAnEqualState() {
        long bell = machine.create(0x06);
        MachineState before = machine.state();

        assertThat(machine.call(0x12, bell, 1, 0)).isEqualTo(HypError.OBJECT_STATE.code());
        assertThat(machine.call(0x23, machine.cspaceCap, 0x3F, machine.cspaceCap, -1, 0)).isNotZero();

        MachineState after = machine.state();
        assertThat(after).isEqualTo(before);
        assertThat(after.digest()).isEqualTo(before.digest()).hasSize(64);
        assertThat(before.difference(after)).isEmpty();
    }

    @Test
    void capabilitiesAreState() {
        MachineState state = machine.state();
        long bell = machine.create(0x06);
        state = changed(state, "+ DOORBELL#");
        long copy = machine.registers(0x23, machine.cspaceCap, bell, machine.cspaceCap, 3, 0)[1];
        state = changed(state, "kind copy");
        Machine.must(machine.call(0x59, machine.cspaceCap, bell, 0));
        state = changed(state, "kind revoked");
        Machine.must(machine.call(0x22, machine.cspaceCap, copy, 0));
        state = changed(state, "- CSPACE#");
        Machine.must(machine.call(0x22, machine.cspaceCap, bell, 0));
        changed(state, "- DOORBELL#");
    }

    @Test
    void anObjectThatGoesLeavesNothingBehind() {
        MachineState before = machine.state();
        long bell = machine.create(0x06);
        long queue = machine.create(0x07);
        Machine.must(machine.call(0x21, queue, 240 << 16 | 8, 0));
        Machine.must(machine.call(0x0C, queue, 0));

        Machine.must(machine.call(0x22, machine.cspaceCap, bell, 0));
        Machine.must(machine.call(0x22, machine.cspaceCap, queue, 0));

        assertThat(before.difference(machine.state())).isEmpty();
    }

    @Test
    void flagsMasksAndMessagesAreState() {
        long bell = machine.create(0x06);
        long queue = machine.create(0x07);
        long vic = machine.create(0x0A);
        Machine.must(machine.call(0x0C, vic, 0));
        Machine.must(machine.call(0x21, queue, 240 << 16 | 8, 0));
        Machine.must(machine.call(0x0C, queue, 0));
        MachineState state = machine.state();
        Machine.must(machine.call(0x0C, bell, 0));
        state = changed(state, "ACTIVE");
        Machine.must(machine.call(0x12, bell, 5, 0));
        state = changed(state, "flags 0x5");
        Machine.must(machine.call(0x15, bell, 0xF0, 1, 0));
        state = changed(state, "enabled 0xf0");
        Machine.must(machine.call(0x10, bell, vic, 33, 0));
        state = changed(state, "line.virq 0x21");
        Machine.must(machine.call(0x2B, machine.rootSpaceCap, machine.rootExtentCap, 0x1000, 0xF_0066, 1,
                Machine.RAM, 0x1000));
        machine.memory.write(Machine.RAM, new byte[] {0x12, 0x34}, 0, 2);
        state = machine.state();
        Machine.must(machine.call(0x1B, queue, 2, 0x1000, 0, 0));
        state = changed(state, "message 1234");
        Machine.must(machine.call(0x20, queue, 2, -1, -1));
        changed(state, "not_empty.threshold 0x2");
    }

    @Test
    void mappingsAndOwnersAreState() {
        long space = machine.addrspace(5);
        long child = machine.create(0x04);
        Machine.must(machine.call(0x32, child, machine.rootExtentCap, Machine.RAM, 0x4000, Machine.ALL_RWX_SPARSE));
        MachineState state = machine.state();
        Machine.must(machine.call(0x0C, child, 0));
        state = changed(state, "ACTIVE");
        Machine.must(machine.call(0x61, 0, machine.rootExtentCap, child, 0, 0x2000, 0));
        state = changed(state, "+ frames: 0x40000000+0x2000 of " + machine.object(child).id());
        Machine.must(machine.call(0x2B, space, child, 0x8000_0000L, 0xF_0066, 1, 0, 0x4000));
        state = changed(state, "recorded 0x0+0x4000 to 0x80000000");
        assertThat(state.toString()).contains("pages 0x80000000+0x2000 to 0x40000000");
        Machine.must(machine.call(0x60, space, 0x9000_0000L, 0x1000, 0, 0));
        state = changed(state, "vmmio 0x90000000+0x1000");
        Machine.must(machine.call(0x2D, space, child, 0x8000_0000L, 0x44, 1, 0, 0x1000));
        state = changed(state, "pages 0x80000000+0x1000");
        Machine.must(machine.call(0x2C, space, child, 0x8000_0000L, 1, 0, 0x4000));
        changed(state, "- MEMEXTENT#");
    }

    @Test
    void theVcpusAndControllersOfARealMachineAreState() {
        try (TestMachine real = new TestMachine()) {
            TestMachine.Guest guest = real.new Guest(TestMachine.GUEST, 1, 0xD503_207F);
            MachineState state = real.hypervisor.state();
            assertThat(real.hypervisor.state()).isEqualTo(state);

            real.call(0x64, guest.vcpus[0], 0, 5, 0x1234, 0);
            MachineState written = real.hypervisor.state();
            assertThat(state.difference(written)).hasSize(1).first().asString().contains("boot.x5 0x1234");
            guest.powerOn();
            assertThat(String.join("\n", written.difference(real.hypervisor.state()))).contains("may_run yes");
        }
    }
}
