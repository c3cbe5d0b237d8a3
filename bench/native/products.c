/*
 * Checks and times the native products of compute-cpu without a JVM.
 *
 *   cc -O2 -pthread -I../../plugins/compute-cpu/src/main/native -o products products.c -ldl -lm
 *   ./products LIBRARY check [VARIANT]
 *   ./products LIBRARY time [VARIANT] [TYPE] [ROWS COLUMNS]
 *
 * check compares every type, at all sizes where something could go wrong, with a plain computation, bit for bit. time prints, all of one run: the
 * bandwidth of reading memory; for one row of activations GB/s of weights and the share of that bandwidth; for 4, 16 and 512 rows Gop/s.
 */
#define _GNU_SOURCE
#include "common/pack.c"

#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static const char *NAMES[TYPES] = {"q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "mxfp4"};

typedef void Multiply(int32_t type, const uint8_t *packed, int64_t first, int64_t columns, int64_t blocks, const uint8_t *x, int64_t x_stride,
                      int64_t x_rows, float *out, int64_t out_stride, const int32_t *ends, int64_t count);

typedef void MultiplyBf16(const uint8_t *packed, int64_t first, int64_t rows_of_w, int64_t columns, const uint8_t *x, int64_t stride, int64_t rows,
                          float *out, int64_t out_stride);

static MultiplyBf16 *multiply_bf16;

/* As the others; the prepared activations are as good as any bits. */
static void bf16(int32_t type, const uint8_t *packed, int64_t first, int64_t columns, int64_t blocks, const uint8_t *x, int64_t x_stride,
                 int64_t x_rows, float *out, int64_t out_stride, const int32_t *ends, int64_t count)
{
    (void) type, (void) ends, (void) count;
    multiply_bf16(packed, first, columns, 32 * blocks, x, x_stride, x_rows, out, out_stride);
}

static uint64_t seed = 88172645463325252ull;

static uint32_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t) (seed >> 16);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void *room(size_t bytes)
{
    bytes = (bytes + (2 << 20) - 1) & -(2 << 20);
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

static void half(uint8_t *at)
{
    uint16_t h = (uint16_t) ((next() & 0x83ff) | (uint32_t) (5 + next() % 10) << 10);
    memcpy(at, &h, 2);
}

/* Random blocks with scales that are finite; extreme ones have codes of all bits 0 or 1. */
static void fill(int type, uint8_t *at, int64_t units, int extreme)
{
    int bytes = unit_bytes(type);
    for (int64_t u = 0; u < units; u++, at += bytes) {
        int ones = next() & 1;
        for (int i = 0; i < bytes; i++) {
            at[i] = extreme ? (ones ? 0xff : 0) : (uint8_t) next();
        }
        if (extreme && type == Q8_0) {
            memset(at, ones ? 0x80 : 0x7f, bytes);
        }
        switch (type) {
        case Q2_K: half(at + 80); half(at + 82); break;
        case Q3_K: half(at + 108); break;
        case Q6_K: half(at + 208); break;
        case MXFP4: at[0] = (uint8_t) (next() % 3 == 0 ? next() % 3 : 120 + next() % 10); break;
        default: half(at); if (has_minimum(type)) { half(at + 2); }
        }
    }
}

static int64_t pad(int64_t bytes)
{
    return (bytes + 63) & -64;
}

static int64_t x_row_bytes(int64_t blocks)
{
    return (pad(32 * blocks) + 2 * pad(4 * blocks) + pad(8 * blocks)) | 64;
}

static void activations_of(uint8_t *at, int64_t blocks, int extreme)
{
    int8_t *q = (int8_t *) at;
    float *d = (float *) (at + pad(32 * blocks));
    int32_t *sums = (int32_t *) (at + pad(32 * blocks) + pad(4 * blocks));
    int32_t *halves = (int32_t *) (at + pad(32 * blocks) + 2 * pad(4 * blocks));
    for (int64_t b = 0; b < blocks; b++) {
        d[b] = (float) (next() % 1000) * 0.0173f;
        sums[b] = 0;
        int sign = next() & 1;
        for (int h = 0; h < 2; h++) {
            halves[2 * b + h] = 0;
            for (int i = 0; i < 16; i++) {
                int v = extreme ? (sign ? 127 : -127) : (int) (next() % 255) - 127;
                q[32 * b + 16 * h + i] = (int8_t) v;
                halves[2 * b + h] += v;
            }
            sums[b] += halves[2 * b + h];
        }
    }
}

static float reference(int type, const uint8_t *row, const uint8_t *x, int64_t from, int64_t to, int64_t blocks)
{
    const int8_t *q = (const int8_t *) x;
    const float *dx = (const float *) (x + pad(32 * blocks));
    const int parts = scales_of_cell(type);
    float sum = 0;
    for (int64_t b = from; b < to; b++) {
        Unit u;
        stored_unit(type, row + b / unit_cells(type) * unit_bytes(type), &u);
        int cell = (int) (b % unit_cells(type));
        const float d = type == MXFP4 ? half_power(u.head[0]) : f16(u.head);
        const float m = has_minimum(type) ? f16(u.head + 2) : 0;
        const uint8_t *s = u.head + (has_minimum(type) ? 4 : 2);
        for (int part = 0; part < parts; part++) {
            int isum = 0;
            int total = 0;
            int p = parts * cell + part;
            float dw = d;
            float mw = m;
            int sc = 0, mn = 0;
            switch (type) {
            case Q2_K: dw = d * (float) (s[p] & 15); mw = -(m * (float) (s[p] >> 4)); break;
            case Q3_K: dw = d * (float) six_bits_of_q3(s, p); break;
            case Q4_K: case Q5_K: six_bits(s, p, &sc, &mn); dw = d * (float) sc; mw = -(m * (float) mn); break;
            case Q6_K: dw = d * (float) (int8_t) s[p]; break;
            default: break;
            }
            for (int i = 0; i < 32 / parts; i++) {
                int e = 32 / parts * part + i;
                int c = u.codes[32 * cell + e];
                int v = type == Q8_0 ? (int8_t) c : type == Q4_0 ? c - 8 : type == Q5_0 ? c - 16 : type == Q3_K ? c - 4 : type == Q6_K ? c - 32
                        : type == IQ4_NL ? IQ4_NL_VALUES[c] : type == MXFP4 ? MXFP4_VALUES[c] : c;
                isum += v * q[32 * b + e];
                total += q[32 * b + e];
            }
            sum = fmaf((float) isum, dw * dx[b], sum);
            if (has_minimum(type)) {
                sum = fmaf((float) total, mw * dx[b], sum);
            }
        }
    }
    return sum;
}

static long check(Multiply *multiply, int type)
{
    static const int SHAPES[][3] = {{16, 1, 0}, {5, 2, 0}, {33, 3, 0}, {40, 9, 0}, {16, 32, 0}, {17, 40, 0}, {48, 8, 1}, {30, 16, 1}};
    long wrong = 0;
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        const int rows = SHAPES[i][0];
        const int64_t units = SHAPES[i][1] < unit_cells(type) && i > 0 ? 1 : (SHAPES[i][1] + unit_cells(type) - 1) / unit_cells(type);
        const int64_t blocks = units * unit_cells(type);
        const int extreme = SHAPES[i][2];
        const int64_t row_bytes = units * unit_bytes(type);
        uint8_t *w = malloc(rows * row_bytes);
        fill(type, w, rows * units, extreme);
        uint8_t *packed = aligned_alloc(64, (size_t) ((rows + 15) / 16 * group_bytes(type, units) + 63) & -64);
        maniple_pack(type, w, rows, units, packed);
        float *floats = malloc(4 * 256 * units);
        float *again = malloc(4 * 256 * units);
        for (int r = 0; r < rows; r++) {
            maniple_floats_of_stored(type, w + r * row_bytes, units, floats);
            maniple_floats_of_packed(type, packed, r, units, again);
            wrong += memcmp(floats, again, 4 * blocks * 32) != 0;
        }
        const int64_t stride = x_row_bytes(blocks);
        uint8_t *x = aligned_alloc(64, 40 * stride);
        for (int m = 0; m < 40; m++) {
            activations_of(x + m * stride, blocks, extreme);
        }
        for (int leaves = 1; leaves <= 4; leaves *= 2) {
            int32_t ends[4];
            for (int l = 0; l < leaves; l++) {
                ends[l] = (int32_t) (blocks * (l + 1) / leaves);
            }
            for (int many = 1; many <= 40; many += many < 20 ? 1 : 5) {
                float out[40 * 64];
                for (int k = 0; k < 40 * 64; k++) {
                    out[k] = -7;
                }
                int first = rows > 32 ? 16 : 0;
                multiply(type, packed, first, rows - first, blocks, x, stride, many, out, 64, ends, leaves);
                for (int m = 0; m < 40; m++) {
                    for (int n = 0; n < 64; n++) {
                        float expected = -7;
                        if (m < many && n < rows - first) {
                            float part[4];
                            for (int l = 0; l < leaves; l++) {
                                part[l] = reference(type, w + (first + n) * row_bytes, x + m * stride, l ? ends[l - 1] : 0, ends[l], blocks);
                            }
                            expected = leaves == 1 ? part[0] : leaves == 2 ? part[0] + part[1] : (part[0] + part[1]) + (part[2] + part[3]);
                        }
                        if (memcmp(&out[m * 64 + n], &expected, 4) != 0) {
                            if (wrong++ < 3) {
                                printf("  %s rows %d blocks %ld many %d leaves %d: [%d][%d] %g, expected %g\n", NAMES[type], rows, (long) blocks,
                                       many, leaves, m, n, out[m * 64 + n], expected);
                            }
                        }
                    }
                }
            }
        }
        free(w), free(packed), free(floats), free(again), free(x);
    }
    return wrong;
}

typedef struct {
    Multiply *multiply;
    int type;
    uint8_t *packed;
    int64_t first, columns, blocks, x_stride, x_rows, out_stride;
    uint8_t *x;
    float *out;
    double sum;
    double begin, end;
    size_t bytes;
    int matrices;
    int chunk;
    int64_t size;
    pthread_barrier_t *barrier;
} Work;

static void *work(void *at)
{
    Work *w = at;
    int32_t end = (int32_t) w->blocks;
    pthread_barrier_wait(w->barrier);
    w->begin = now();
    for (int i = 0; i < w->matrices; i++) {
        for (int64_t n = 0; n < w->columns; n += w->chunk) {
            int64_t taken = w->columns - n < w->chunk ? w->columns - n : w->chunk;
            w->multiply(w->type, w->packed + i * w->size, w->first + n, taken, w->blocks, w->x, w->x_stride, w->x_rows, w->out + w->first + n,
                        w->out_stride, &end, 1);
        }
    }
    w->end = now();
    return NULL;
}

static void *reading(void *at)
{
    Work *w = at;
    pthread_barrier_wait(w->barrier);
    w->begin = now();
    typedef uint64_t V __attribute__((vector_size(64)));
    V s[4] = {{0}};
    const V *p = (const V *) w->packed;
    for (size_t i = 0; i + 4 <= w->bytes / 64; i += 4) {
        s[0] ^= p[i], s[1] ^= p[i + 1], s[2] ^= p[i + 2], s[3] ^= p[i + 3];
    }
    s[0] ^= s[1] ^ s[2] ^ s[3];
    w->sum = (double) s[0][0];
    w->end = now();
    return NULL;
}

static double run(void *(*task)(void *), Work *works, int threads)
{
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, threads);
    pthread_t ids[8];
    for (int i = 0; i < threads; i++) {
        works[i].barrier = &barrier;
        pthread_create(&ids[i], NULL, task, &works[i]);
    }
    double begin = 1e18, end = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        begin = works[i].begin < begin ? works[i].begin : begin;
        end = works[i].end > end ? works[i].end : end;
    }
    pthread_barrier_destroy(&barrier);
    return end - begin;
}

static void times(Multiply *multiply, int type, int64_t rows, int64_t columns, uint8_t *memory, size_t bytes)
{
    const int64_t units = type == TYPES ? 0 : columns / unit_elements(type);
    const int64_t blocks = columns / 32;
    const int64_t size = type == TYPES ? rows * columns * 2 : (rows + 15) / 16 * group_bytes(type, units);
    const int matrices = (int) (bytes / size);
    uint8_t *w = malloc(1 + units * rows * unit_bytes(type % TYPES));
    fill(type % TYPES, w, rows * units, 0);
    for (int i = 0; i < matrices; i++) {
        if (type == TYPES) {
            for (int64_t k = 0; k < size; k += 2) {
                memcpy(memory + i * size + k, &(uint16_t){(uint16_t) (next() & 0xbfff)}, 2);
            }
        } else if (i == 0) {
            maniple_pack(type, w, rows, units, memory);
        } else {
            memcpy(memory + i * size, memory, size);
        }
    }
    free(w);
    const int64_t stride = x_row_bytes(blocks) + (type == TYPES ? 32 * blocks / 64 * 64 : 0);
    uint8_t *x = room(512 * stride);
    for (int m = 0; m < 512; m++) {
        activations_of(x + m * stride, blocks, 0);
    }
    float *out = room(4 * 512 * rows);
    printf("%-7s", type == TYPES ? "bf16" : NAMES[type]);
    for (int threads = 1; threads <= 2; threads++) {
        double read = 1e9, best = 1e9;
        Work works[2];
        for (int i = 0; i < threads; i++) {
            int64_t from = rows / 16 * i / threads * 16, to = rows / 16 * (i + 1) / threads * 16;
            works[i] = (Work){multiply, type, memory, from, to - from, blocks, stride, 1, rows, x, out, 0, 0, 0, 0, matrices, 512, size, NULL};
        }
        Work readers[2];
        size_t all = (size_t) matrices * size;
        for (int i = 0; i < threads; i++) {
            readers[i] = (Work){.packed = memory + all / threads / 64 * 64 * i, .bytes = all / threads / 64 * 64};
        }
        for (int rep = 0; rep < 5; rep++) {
            double t = run(reading, readers, threads);
            read = t < read ? t : read;
            t = run(work, works, threads);
            best = t < best ? t : best;
        }
        printf(" | %dT read %5.1f decode %5.1f GB/s %3.0f%%", threads, all / read * 1e-9, all / best * 1e-9, 100 * read / best);
    }
    static const int MANY[] = {2, 4, 8, 16, 64, 512};
    for (size_t i = 0; i < sizeof MANY / sizeof *MANY; i++) {
        double best = 1e9;
        Work works[2];
        int count = MANY[i] >= 64 ? 1 : matrices < 16 ? matrices : 16;
        for (int k = 0; k < 2; k++) {
            works[k] = (Work){multiply, type, memory, rows / 2 * k, rows / 2, blocks, stride, MANY[i], rows, x, out, 0, 0, 0, 0, count, 512, size, NULL};
        }
        for (int rep = 0; rep < 3; rep++) {
            double t = run(work, works, 2);
            best = t < best ? t : best;
        }
        printf(" | M=%d %4.0f", MANY[i], 2e-9 * rows * columns * MANY[i] * count / best);
    }
    printf("\n");
    fflush(stdout);
    munmap(x, 512 * stride);
    munmap(out, 4 * 512 * rows);
}

int main(int argc, char **argv)
{
    void *library = argc > 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (library == NULL) {
        fprintf(stderr, "usage: products LIBRARY check|time [VARIANT] [TYPE] [ROWS COLUMNS]: %s\n", argc > 2 ? dlerror() : "");
        return 2;
    }
    int32_t (*runs)(const char *) = (int32_t (*)(const char *)) dlsym(library, "maniple_cpu_runs");
    static const char *VARIANTS_OF[] = {"avx2", "avx512vnni", "amx", "neon", "dotprod"};
    int failed = 0;
    for (int v = 0; v < 5; v++) {
        char name[64];
        snprintf(name, sizeof name, "maniple_multiply_%s", VARIANTS_OF[v]);
        Multiply *multiply = (Multiply *) dlsym(library, name);
        if (multiply == NULL || (argc > 3 && strcmp(argv[3], "all") != 0 && strcmp(argv[3], VARIANTS_OF[v]) != 0)) {
            continue;
        }
        if (!runs(VARIANTS_OF[v])) {
            printf("skipped: this processor cannot run %s\n", VARIANTS_OF[v]);
            continue;
        }
        printf("%s\n", VARIANTS_OF[v]);
        size_t bytes = (size_t) 600 << 20;
        uint8_t *memory = strcmp(argv[2], "time") == 0 ? room(bytes + (2 << 20)) : NULL;
        snprintf(name, sizeof name, "maniple_multiply_bf16_%s", v == 1 ? "avx512bf16" : VARIANTS_OF[v]);
        multiply_bf16 = v == 1 && !runs("avx512bf16") ? NULL : (MultiplyBf16 *) dlsym(library, name);
        if (memory != NULL && multiply_bf16 != NULL && (argc <= 4 || strcmp(argv[4], "all") == 0 || strcmp(argv[4], "bf16") == 0)) {
            times(bf16, TYPES, argc > 6 ? atol(argv[5]) : 4096, argc > 6 ? atol(argv[6]) : 4096, memory, bytes);
        }
        for (int type = 0; type < TYPES; type++) {
            if (argc > 4 && strcmp(argv[4], "all") != 0 && strcmp(argv[4], NAMES[type]) != 0) {
                continue;
            }
            if (memory != NULL) {
                times(multiply, type, argc > 6 ? atol(argv[5]) : 4096, argc > 6 ? atol(argv[6]) : 4096, memory, bytes);
            } else {
                long wrong = check(multiply, type);
                failed |= wrong != 0;
                printf("  %-7s %s (%ld wrong)\n", NAMES[type], wrong ? "WRONG" : "same bits", wrong);
            }
        }
        if (memory != NULL) {
            munmap(memory, bytes + (2 << 20));
        }
    }
    return failed;
}
