package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.hyp.MachineState;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.VmRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Parcels of more pieces than a message has room for: they are made, accepted and started with in several steps. */
@Tag("guest")
class ManyPiecesTest {
    private static final long BYTES = 64L << 20;
    private static final int PIECE = 4096;
    private static final int LABEL = 9;

    private final LendingMachine machine = new LendingMachine(BYTES);

    @AfterEach
    void stop() {
        machine.close();
    }

    private void write(long ipa, byte value) {
        machine.host.port.write(ipa, new byte[] {value, 0, 0, 0, 0, 0, 0, 0}, 0, 8);
    }

    @Test
    @Invariant({"M4", "M5"})
    void everyPieceOfALargeParcelIsTheBorrowersUntilItIsGivenBack() {
        MachineState before = machine.host.atRest();
        for (boolean share : new boolean[] {false, true}) {
            write(LendingMachine.MEMORY, (byte) 1);
            write(LendingMachine.MEMORY + BYTES - PIECE, (byte) 2);
            int handle = machine.create(share, BYTES, PIECE);

            machine.accept(share, handle);

            assertThat(machine.guest.load(0)).contains(1L);
            assertThat(machine.guest.load(BYTES - PIECE)).contains(2L);
            assertThat(machine.guest.store(BYTES - 8, 3)).isTrue();
            assertThat(machine.guest.load(BYTES)).as("behind it").isEmpty();
            assertThat(machine.host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0)))
                    .isEqualTo(RmError.MEM_INUSE);
            machine.release(handle);
            assertThat(machine.guest.load(0)).isEmpty();
            machine.reclaim(handle);
            assertThat(machine.host.read(LendingMachine.MEMORY + BYTES - 8)).isEqualTo(3);
        }
        // Its program takes messages without their interrupts.
        assertThat(before.difference(machine.host.atRest())).allMatch(line -> line.contains("VIC#"));
    }

    @Test
    void aVmStartsWithALargeParcel() {
        Agent guest = new Agent(machine.host, Agent.tree("second", 0), 0x4500_0000L);
        int pieces = 1200;
        int handle = machine.create(true, guest.vmid, LABEL, (long) pieces * PIECE, PIECE);
        write(LendingMachine.MEMORY + (pieces - 1L) * PIECE, (byte) 5);
        guest.start();

        guest.run();

        DtNode buffer = guest.patched().child("reserved-memory").orElseThrow().children().stream()
                .filter(n -> n.cell("qcom,label").filter(l -> l == LABEL).isPresent()).findFirst().orElseThrow();
        int[] reg = buffer.cells("reg").orElseThrow();
        assertThat(reg).hasSize(4 * pieces);
        assertThat(guest.load(DtNode.number(reg, 4 * (pieces - 1), 2))).contains(5L);
        guest.stop();
        machine.reclaim(handle);
        machine.host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(guest.vmid));
    }
}
