//! The compilation cache: what it saves, and what it must not trust.

use std::fs::{Permissions, read_dir, set_permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::folder::{Folder, saying};

/// Starts, asks, and gives the answer, the banner's words about the cache, and the warnings.
async fn served(folder: &Folder) -> Result<(String, String, Vec<String>)> {
    let mut trilby = folder.launch().start().await?;
    let ready = trilby.logged("ready in ").await?;
    let (_, cache) = ready.split_once(", ").context("no words about the cache")?;
    let answer = trilby.http.get("/").await?.text();
    let output = folder.output_of(trilby).await?;
    let warnings = output.lines().filter_map(|line| line.split_once(" WARN "));
    let warnings = warnings.map(|(_, warning)| warning.to_owned()).collect();
    Ok((answer, cache.to_owned(), warnings))
}

fn cached(folder: &Folder) -> Result<Vec<PathBuf>> {
    let entries = read_dir(folder.path("cache"))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

#[tokio::test]
async fn a_second_start_takes_modules_from_the_cache() -> Result<()> {
    let folder = Folder::with_app()?;
    let answer = |from: &str| ("a\n".to_owned(), format!("{from} from the cache)"), Vec::new());
    assert_eq!(served(&folder).await?, answer("0"));
    assert_eq!(served(&folder).await?, answer("1"));
    assert_eq!(cached(&folder)?.len(), 1);
    let mode = folder.path("cache").metadata()?.permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    // Another content is another module, whatever its file's name.
    let folder = folder.with("a.wat", saying("b\n"))?;
    let (answer, cache, _) = served(&folder).await?;
    assert_eq!((answer.as_str(), cache.as_str()), ("b\n", "0 from the cache)"));
    Ok(())
}

#[tokio::test]
async fn a_damaged_file_is_replaced() -> Result<()> {
    let folder = Folder::with_app()?;
    served(&folder).await?;
    let file = cached(&folder)?.pop().context("nothing was cached")?;
    let whole = std::fs::read(&file)?;
    let mut flipped = whole.clone();
    *flipped.last_mut().context("an empty file")? ^= 1;
    let half = whole[..whole.len() / 2].to_vec();
    for damaged in [flipped, half, whole[..10].to_vec(), Vec::new()] {
        std::fs::write(&file, damaged)?;
        let (answer, cache, warnings) = served(&folder).await?;
        assert_eq!((answer.as_str(), cache.as_str()), ("a\n", "0 from the cache)"));
        let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
        assert!(warning.contains("damaged file in the compilation cache"), "{warning}");
        assert!(warning.contains("file=[APP]/cache/"), "{warning}");
        let (_, cache, warnings) = served(&folder).await?;
        assert_eq!((cache.as_str(), warnings.len()), ("1 from the cache)", 0));
    }
    Ok(())
}

/// What others may write to could hold their code.
#[tokio::test]
async fn a_folder_that_others_may_write_to_is_not_used() -> Result<()> {
    let folder = Folder::with_app()?;
    served(&folder).await?;
    for mode in [0o770, 0o707] {
        set_permissions(folder.path("cache"), Permissions::from_mode(mode))?;
        let (answer, cache, warnings) = served(&folder).await?;
        assert_eq!((answer.as_str(), cache.as_str()), ("a\n", "0 from the cache)"));
        let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
        assert!(warning.contains("no compilation cache"), "{warning}");
        assert!(warning.contains("chmod go-w"), "{warning}");
    }
    set_permissions(folder.path("cache"), Permissions::from_mode(0o700))?;
    // Only the superuser can give a folder away.
    if chown(folder.path("cache"), Some(12345), None).is_ok() {
        let (_, cache, warnings) = served(&folder).await?;
        assert_eq!((cache.as_str(), warnings.len()), ("0 from the cache)", 1), "{warnings:?}");
        assert!(warnings[0].contains("belongs to another user"), "{warnings:?}");
    }
    Ok(())
}

/// A cache that cannot be had costs time only.
#[tokio::test]
async fn without_a_cache_everything_is_compiled() -> Result<()> {
    let folder = Folder::with_app()?.with("cache", "a file where a folder should be")?;
    let (answer, cache, warnings) = served(&folder).await?;
    assert_eq!((answer.as_str(), cache.as_str()), ("a\n", "0 from the cache)"));
    assert_eq!(warnings.len(), 1, "{warnings:?}");

    let folder = Folder::with_app()?;
    let mut launch = folder.launch().args(&["--no-cache"]);
    launch.env.retain(|(name, _)| name != "TRILBY_CACHE_DIR");
    let trilby = launch.start().await?;
    assert_eq!(trilby.http.get("/").await?.text(), "a\n");
    assert!(!folder.path("cache").exists());
    Ok(())
}
