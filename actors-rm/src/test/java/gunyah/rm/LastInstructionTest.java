package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import gunyah.rm.Agent.Access;
import gunyah.rm.Agent.Visit;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A guest that stores as fast as it can is stopped: what it has stored when VM_EXITED comes is its last word. */
@Tag("guest")
class LastInstructionTest {
    private static final long SHARED = 0x4300_0000L;
    private static final int COUNTER = 0x800;
    private static final int ROUNDS = 5;
    /** {@code mov x3, #0; add x3, x3, #1; str x3, [x1, #0x800]; b .-8} */
    private static final int[] COUNT = {0xd280_0003, 0x9100_0463, 0xf904_0023, 0x17ff_fffe};

    private final RealHost host = new RealHost(2, 256L << 20);

    @AfterEach
    void stop() {
        host.close();
    }

    @Test
    @Invariant("S2")
    void nothingIsStoredAfterTheExitWasTold() {
        Agent vm = new Agent(host, Agent.tree("counts", 1), 0x4400_0000L);
        ByteBuffer program = ByteBuffer.allocate(0x1000).order(ByteOrder.LITTLE_ENDIAN);
        for (int round = 0; round < ROUNDS; round++) {
            host.forget();
            vm.start();
            vm.run();
            for (int i = 0; i < COUNT.length; i++) {
                program.putInt(4 * i, COUNT[i]);
            }
            host.port.write(SHARED, program.array(), 0, program.capacity());
            int handle = new WireReader(host.ok(MessageId.MEM_SHARE, new ParcelCreate(0, 0, 5,
                    List.of(new AclEntry(3, 6), new AclEntry(vm.vmid, 7)), List.of(new MemRange(SHARED, 0x1000)),
                    List.of()))).u32();
            long ipa = Life.accept(vm, handle, ParcelTransfer.SHARE);
            CompletableFuture<Void> counting =
                    CompletableFuture.runAsync(() -> vm.visit(List.of(new Visit(Access.FETCH, ipa, 0))));
            await().atMost(Duration.ofSeconds(RealHost.LIMIT_SECONDS)).pollInterval(Duration.ofMillis(1))
                    .until(() -> host.read(SHARED + COUNTER) > 1000);

            host.ok(MessageId.VM_STOP, new StopRequest(vm.vmid, 1, 3));
            host.await(MessageId.VM_EXITED, payload -> VmExited.decode(payload).vmid() == vm.vmid);
            long last = host.read(SHARED + COUNTER);

            assertThatThrownBy(counting::join).isInstanceOf(CompletionException.class)
                    .hasCauseInstanceOf(RealHost.Ended.class);
            host.ok(MessageId.VM_RESET, new VmRequest(vm.vmid));
            assertThat(host.read(SHARED + COUNTER)).isEqualTo(last);
            host.awaitState(vm.vmid, VmState.RESET);
            assertThat(host.read(SHARED + COUNTER)).isEqualTo(last);
            vm.handles().forEach(own -> host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(own, 0)));
            host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0));
        }
    }
}
