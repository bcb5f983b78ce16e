/* replay.c - runs a fuzz target over its kept corpus where no fuzzer is built.
 * Every file of every folder given is fed once; a folder that is missing or empty is a failure,
 * so that a lost corpus cannot pass for a green test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    static uint8_t buffer[1 << 20];
    size_t got = fread(buffer, 1, sizeof(buffer), file);
    (void)fclose(file);

    /* an exact-sized heap copy lets the address sanitizer see a read past the end */
    uint8_t *copy = malloc(got > 0 ? got : 1);
    if (copy == NULL)
        return -1;
    for (size_t i = 0; i < got; i++)
        copy[i] = buffer[i];
    (void)LLVMFuzzerTestOneInput(copy, got);
    free(copy);
    return 0;
}

static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        perror(folder);
        return -1;
    }
    int files = 0, failed = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[4096];
        struct stat st;
        int len = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (len < 0 || (size_t)len >= sizeof(path) || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        files++;
        failed += replay_file(path) != 0;
    }
    (void)closedir(dir);
    printf("%s: %d inputs\n", folder, files);
    return files > 0 && failed == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s CORPUS-FOLDER...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++)
        if (replay_folder(argv[i]) != 0)
            return 1;
    return 0;
}
